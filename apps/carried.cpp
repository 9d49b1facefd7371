// Bytes of the carried files, put into the program by the assembler.
#include "carried.hpp"

#define MILLRACE_CARRY(name, path)                                                        \
  __asm__(                                                                                \
      ".pushsection .rodata\n"                                                            \
      ".global " #name "_begin\n.global " #name "_end\n" #name "_begin:\n.incbin \"" path \
      "\"\n" #name                                                                        \
      "_end:\n"                                                                           \
      ".byte 0\n"                                                                         \
      ".popsection\n");                                                                   \
  extern "C" const char name##_begin[];                                                   \
  extern "C" const char name##_end[]

MILLRACE_CARRY(millrace_edits, MILLRACE_EDITS);
MILLRACE_CARRY(millrace_expected, MILLRACE_EXPECTED);

namespace millrace::apps {

std::string_view carried_edits() { return {millrace_edits_begin, millrace_edits_end}; }
std::string_view carried_expected() { return {millrace_expected_begin, millrace_expected_end}; }

}  // namespace millrace::apps
