// Structured bindings for structs of 1 to 64 members: what C++20 cannot write as a template.
#pragma once

#include <cstddef>

namespace millrace::detail {

inline constexpr std::size_t kMembersMax = 64;

template <class... Members>
struct MemberTypes {
  static constexpr std::size_t kCount = sizeof...(Members);
};

/// What `member_types` gives for a type with a bit-field: no reference binds to one.
struct NotAddressable {};

template <class... Members>
MemberTypes<Members...> types_of(Members&...);

/// MemberBinder<N>::bind(record, visit) calls visit(m1, ..., mN) with references to the members of
/// `record`; member_types(record) is only for decltype.
template <std::size_t N>
struct MemberBinder;

#define MR_M1 m1
#define MR_M2 MR_M1, m2
#define MR_M3 MR_M2, m3
#define MR_M4 MR_M3, m4
#define MR_M5 MR_M4, m5
#define MR_M6 MR_M5, m6
#define MR_M7 MR_M6, m7
#define MR_M8 MR_M7, m8
#define MR_M9 MR_M8, m9
#define MR_M10 MR_M9, m10
#define MR_M11 MR_M10, m11
#define MR_M12 MR_M11, m12
#define MR_M13 MR_M12, m13
#define MR_M14 MR_M13, m14
#define MR_M15 MR_M14, m15
#define MR_M16 MR_M15, m16
#define MR_M17 MR_M16, m17
#define MR_M18 MR_M17, m18
#define MR_M19 MR_M18, m19
#define MR_M20 MR_M19, m20
#define MR_M21 MR_M20, m21
#define MR_M22 MR_M21, m22
#define MR_M23 MR_M22, m23
#define MR_M24 MR_M23, m24
#define MR_M25 MR_M24, m25
#define MR_M26 MR_M25, m26
#define MR_M27 MR_M26, m27
#define MR_M28 MR_M27, m28
#define MR_M29 MR_M28, m29
#define MR_M30 MR_M29, m30
#define MR_M31 MR_M30, m31
#define MR_M32 MR_M31, m32
#define MR_M33 MR_M32, m33
#define MR_M34 MR_M33, m34
#define MR_M35 MR_M34, m35
#define MR_M36 MR_M35, m36
#define MR_M37 MR_M36, m37
#define MR_M38 MR_M37, m38
#define MR_M39 MR_M38, m39
#define MR_M40 MR_M39, m40
#define MR_M41 MR_M40, m41
#define MR_M42 MR_M41, m42
#define MR_M43 MR_M42, m43
#define MR_M44 MR_M43, m44
#define MR_M45 MR_M44, m45
#define MR_M46 MR_M45, m46
#define MR_M47 MR_M46, m47
#define MR_M48 MR_M47, m48
#define MR_M49 MR_M48, m49
#define MR_M50 MR_M49, m50
#define MR_M51 MR_M50, m51
#define MR_M52 MR_M51, m52
#define MR_M53 MR_M52, m53
#define MR_M54 MR_M53, m54
#define MR_M55 MR_M54, m55
#define MR_M56 MR_M55, m56
#define MR_M57 MR_M56, m57
#define MR_M58 MR_M57, m58
#define MR_M59 MR_M58, m59
#define MR_M60 MR_M59, m60
#define MR_M61 MR_M60, m61
#define MR_M62 MR_M61, m62
#define MR_M63 MR_M62, m63
#define MR_M64 MR_M63, m64

#define MR_BIND(N, ...)                                              \
  template <>                                                        \
  struct MemberBinder<N> {                                           \
    template <class T>                                               \
    static constexpr auto member_types(T& record) {                  \
      auto& [__VA_ARGS__] = record;                                  \
      if constexpr (requires { types_of(__VA_ARGS__); }) {           \
        return decltype(types_of(__VA_ARGS__)){};                    \
      } else {                                                       \
        return NotAddressable{};                                     \
      }                                                              \
    }                                                                \
    template <class T, class Visit>                                  \
    static constexpr decltype(auto) bind(T& record, Visit&& visit) { \
      auto& [__VA_ARGS__] = record;                                  \
      return visit(__VA_ARGS__);                                     \
    }                                                                \
  };
MR_BIND(1, MR_M1)
MR_BIND(2, MR_M2)
MR_BIND(3, MR_M3)
MR_BIND(4, MR_M4)
MR_BIND(5, MR_M5)
MR_BIND(6, MR_M6)
MR_BIND(7, MR_M7)
MR_BIND(8, MR_M8)
MR_BIND(9, MR_M9)
MR_BIND(10, MR_M10)
MR_BIND(11, MR_M11)
MR_BIND(12, MR_M12)
MR_BIND(13, MR_M13)
MR_BIND(14, MR_M14)
MR_BIND(15, MR_M15)
MR_BIND(16, MR_M16)
MR_BIND(17, MR_M17)
MR_BIND(18, MR_M18)
MR_BIND(19, MR_M19)
MR_BIND(20, MR_M20)
MR_BIND(21, MR_M21)
MR_BIND(22, MR_M22)
MR_BIND(23, MR_M23)
MR_BIND(24, MR_M24)
MR_BIND(25, MR_M25)
MR_BIND(26, MR_M26)
MR_BIND(27, MR_M27)
MR_BIND(28, MR_M28)
MR_BIND(29, MR_M29)
MR_BIND(30, MR_M30)
MR_BIND(31, MR_M31)
MR_BIND(32, MR_M32)
MR_BIND(33, MR_M33)
MR_BIND(34, MR_M34)
MR_BIND(35, MR_M35)
MR_BIND(36, MR_M36)
MR_BIND(37, MR_M37)
MR_BIND(38, MR_M38)
MR_BIND(39, MR_M39)
MR_BIND(40, MR_M40)
MR_BIND(41, MR_M41)
MR_BIND(42, MR_M42)
MR_BIND(43, MR_M43)
MR_BIND(44, MR_M44)
MR_BIND(45, MR_M45)
MR_BIND(46, MR_M46)
MR_BIND(47, MR_M47)
MR_BIND(48, MR_M48)
MR_BIND(49, MR_M49)
MR_BIND(50, MR_M50)
MR_BIND(51, MR_M51)
MR_BIND(52, MR_M52)
MR_BIND(53, MR_M53)
MR_BIND(54, MR_M54)
MR_BIND(55, MR_M55)
MR_BIND(56, MR_M56)
MR_BIND(57, MR_M57)
MR_BIND(58, MR_M58)
MR_BIND(59, MR_M59)
MR_BIND(60, MR_M60)
MR_BIND(61, MR_M61)
MR_BIND(62, MR_M62)
MR_BIND(63, MR_M63)
MR_BIND(64, MR_M64)
#undef MR_BIND
#undef MR_M1
#undef MR_M2
#undef MR_M3
#undef MR_M4
#undef MR_M5
#undef MR_M6
#undef MR_M7
#undef MR_M8
#undef MR_M9
#undef MR_M10
#undef MR_M11
#undef MR_M12
#undef MR_M13
#undef MR_M14
#undef MR_M15
#undef MR_M16
#undef MR_M17
#undef MR_M18
#undef MR_M19
#undef MR_M20
#undef MR_M21
#undef MR_M22
#undef MR_M23
#undef MR_M24
#undef MR_M25
#undef MR_M26
#undef MR_M27
#undef MR_M28
#undef MR_M29
#undef MR_M30
#undef MR_M31
#undef MR_M32
#undef MR_M33
#undef MR_M34
#undef MR_M35
#undef MR_M36
#undef MR_M37
#undef MR_M38
#undef MR_M39
#undef MR_M40
#undef MR_M41
#undef MR_M42
#undef MR_M43
#undef MR_M44
#undef MR_M45
#undef MR_M46
#undef MR_M47
#undef MR_M48
#undef MR_M49
#undef MR_M50
#undef MR_M51
#undef MR_M52
#undef MR_M53
#undef MR_M54
#undef MR_M55
#undef MR_M56
#undef MR_M57
#undef MR_M58
#undef MR_M59
#undef MR_M60
#undef MR_M61
#undef MR_M62
#undef MR_M63
#undef MR_M64

}  // namespace millrace::detail
