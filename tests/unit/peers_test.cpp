// Sockets and commands as bytes: real ones of this machine.
#include "env/posix_peers.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>

#include "folder_harness.hpp"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

/// Reads to the end; the last error, if any, goes to `failure`.
std::string read_all(ByteReader& reader, Status* failure = nullptr) {
  std::string all;
  for (int turn = 0; turn < 20'000;) {
    char buffer[4096];
    const Result<std::size_t> count = reader.read(buffer, sizeof buffer);
    if (!count) {
      if (failure != nullptr) *failure = count.error();
      return all;
    }
    if (*count == 0) return all;
    if (*count == ByteReader::kNotReady) {
      ++turn;
      std::this_thread::sleep_for(1ms);
    } else {
      all.append(buffer, *count);
    }
  }
  ADD_FAILURE() << "the input did not end";
  return all;
}

std::unique_ptr<ByteReader> accept_one(Listener& listener) {
  for (int turn = 0; turn < 20'000; ++turn) {
    Result<std::unique_ptr<ByteReader>> client = listener.accept();
    EXPECT_TRUE(client);
    if (*client) return *std::move(client);
    std::this_thread::sleep_for(1ms);
  }
  return nullptr;
}

class PeersTest : public testing::Test {
 protected:
  std::string address() const { return "unix:" + folder_.path("socket"); }

  FolderHarness folder_;
  PosixPeers peers_;
};

TEST_F(PeersTest, LinesGoThroughAUnixSocket) {
  auto listener = *peers_.listen(address());
  EXPECT_FALSE(*listener->accept());
  auto writer = *peers_.connect_write(address());
  auto reader = accept_one(*listener);
  ASSERT_TRUE(writer->write("a\nb\n"));
  writer.reset();
  EXPECT_EQ(read_all(*reader), "a\nb\n");
}

TEST_F(PeersTest, ASlowReaderHoldsTheWriterBack) {
  auto listener = *peers_.listen(address());
  auto writer = *peers_.connect_write(address());
  auto reader = accept_one(*listener);
  const std::string much(8u << 20, 'x');
  std::thread thread([&] {
    EXPECT_TRUE(writer->write(much));
    writer.reset();
  });
  EXPECT_EQ(read_all(*reader).size(), much.size());
  thread.join();
}

TEST_F(PeersTest, AWriterIsToldThatItsReaderVanished) {
  auto listener = *peers_.listen(address());
  auto writer = *peers_.connect_write(address());
  accept_one(*listener).reset();
  Status status;
  for (int turn = 0; turn < 1'000 && status; ++turn) status = writer->write("line\n");
  EXPECT_EQ(status.code(), Code::sink_failed);
  EXPECT_NE(status.message().find(address()), std::string::npos);
}

TEST_F(PeersTest, EveryClientGetsEveryLineAndASlowOneIsDisconnected) {
  auto writer = *peers_.listen_write(address(), Log());
  auto first = *peers_.connect_read(address());
  auto slow = *peers_.connect_read(address());
  ASSERT_TRUE(writer->write("line\n"));
  ASSERT_TRUE(writer->flush());
  char buffer[64];
  EXPECT_EQ(std::string(buffer, *first->read(buffer, sizeof buffer)), "line\n");
  const std::string block(1u << 20, 'x');
  std::size_t got = 0;
  for (int turn = 0; turn < 16; ++turn) {
    ASSERT_TRUE(writer->write(block));
    for (std::string taken(1u << 20, ' '); got < block.size() * (turn + 1u);) {
      const std::size_t count = *first->read(taken.data(), taken.size());
      if (count == ByteReader::kNotReady) {
        ASSERT_TRUE(writer->flush());
      } else {
        got += count;
      }
    }
  }
  EXPECT_LT(read_all(*slow).size(), 16 * block.size());
  ASSERT_TRUE(writer->close());
}

TEST_F(PeersTest, SaysWhyAnAddressCannotBeUsed) {
  const Status nobody = peers_.connect_read(address()).error();
  EXPECT_EQ(nobody.code(), Code::source_failed);
  EXPECT_NE(nobody.message().find("start the program that listens there"), std::string::npos);
  EXPECT_FALSE(peers_.connect_read("127.0.0.1"));
  EXPECT_FALSE(peers_.connect_read("127.0.0.1:"));
  EXPECT_FALSE(peers_.connect_read("no such host:1"));
  EXPECT_FALSE(peers_.listen("unix:" + std::string(200, 'x')));
  auto listener = *peers_.listen(address());
  EXPECT_EQ(peers_.listen_write(address(), Log()).error().code(), Code::sink_failed);
  listener.reset();
  EXPECT_TRUE(peers_.listen(address()));  // what it left was removed
}

TEST_F(PeersTest, ACommandIsReadToItsEnd) {
  EXPECT_EQ(read_all(**peers_.exec_read("printf 'a\\nb'; cat; printf c")), "a\nbc");
  Status failure;
  EXPECT_EQ(read_all(**peers_.exec_read("echo a; exit 3"), &failure), "a\n");
  EXPECT_EQ(failure.code(), Code::source_failed);
  EXPECT_NE(failure.message().find("exit code 3"), std::string::npos) << failure.message();
}

TEST_F(PeersTest, AChildHasNoSignalsBlocked) {
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, &before);
  const std::string mask = read_all(**peers_.exec_read("exec grep SigBlk /proc/self/status"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(mask, "SigBlk:\t0000000000000000\n");
}

TEST_F(PeersTest, ACommandEndsWithItsReader) {
  const std::string ended = folder_.path("ended");
  {
    auto reader =
        *peers_.exec_read("trap 'touch " + ended + "; exit' TERM; echo up; sleep 60 & wait");
    char buffer[8];
    for (int turn = 0; turn < 20'000; ++turn) {
      if (*reader->read(buffer, sizeof buffer) != ByteReader::kNotReady) break;
      std::this_thread::sleep_for(1ms);
    }
  }
  EXPECT_TRUE(std::filesystem::exists(ended));
}

TEST_F(PeersTest, ACommandIsWrittenToAndWaitedFor) {
  const std::string out = folder_.path("out");
  auto writer = *peers_.exec_write("sleep 0.05; cat > " + out);
  ASSERT_TRUE(writer->write("a\nb\n"));
  ASSERT_TRUE(writer->close());
  std::ifstream file(out);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "a\nb\n");
  EXPECT_NE((*peers_.exec_write("cat > /dev/null; exit 7"))->close().message().find("exit code 7"),
            std::string::npos);
  auto gone = *peers_.exec_write("exit 9");
  Status status;
  for (int turn = 0; turn < 1'000 && status; ++turn) {
    status = gone->write(std::string(100'000, 'x'));
  }
  EXPECT_NE(status.message().find("exit code 9"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace millrace::detail
