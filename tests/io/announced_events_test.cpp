// SPDX-License-Identifier: Apache-2.0
// What a message announces is never less than what decoding it makes.
#include "io/announced_events.hpp"

#include <gtest/gtest.h>

#include <string>

#include "io/event_decoder.hpp"

namespace tocsin {
namespace {

using namespace std::string_literals;

TEST(announced_events, are_never_less_than_the_events_and_rejections_of_decoding) {
  for (const std::string& message : {""s,
                                     " \n"s,
                                     "\x80"s,
                                     "\x80\x01"s,
                                     "\x93\x80\x80\x80"s,
                                     "\x93\x80\x80\x80\x01"s,
                                     "\x93\x80"s,
                                     "\xDC\x00\x03\x80\x80\x80"s,
                                     "\xDC\x00"s,
                                     "\xDC"s,
                                     "\xDD\x00\x00\x00\x02\x80\xC0"s,
                                     "\xDD\xFF\xFF\xFF\xFF\x80\x80"s,
                                     "\xDD\xFF"s,
                                     "\xC1"s,
                                     "7"s,
                                     "{}"s,
                                     "{} x"s,
                                     "[]"s,
                                     "[{}]"s,
                                     "[{}, {}, 7]"s,
                                     "[{}, {}, 7] x"s,
                                     "[{}, {"s,
                                     " [{},{},{}"s,
                                     "[1,2,"s,
                                     " \x80"s,
                                     "\n\xC1"s}) {
    event_batch batch;
    std::vector<rejection> refused;
    event_decoder{event_limits{}}.decode(message, instant{}, batch, refused);
    EXPECT_GE(announced_events(message), batch.events.size() + refused.size()) << message;
  }
}

TEST(announced_events, follow_the_head_of_a_batch_but_not_beyond_its_bytes) {
  EXPECT_EQ(announced_events("\xDC\xEA\x60"s + std::string(60'000, '\x80')), 60'001U);
  EXPECT_EQ(announced_events("\xDD\xFF\xFF\xFF\xFF"s + std::string(10, '\x80')), 11U);
}

}  // namespace
}  // namespace tocsin
