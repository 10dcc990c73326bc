// SPDX-License-Identifier: Apache-2.0
// The alert map in msgpack and JSON, headers, topics.
#include "io/alert_codec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <msgpack.hpp>

namespace tocsin {
namespace {

alert firing_alert() {
  auto texts = std::make_shared<alert_texts>();
  texts->title = "web-1: 3 \"errors\"\n";
  texts->description = "K\u00f6ln";
  texts->labels = {{"team", "web"}, {"a", "b"}};
  texts->annotations = {{"runbook", "http://x/y"}};
  texts->group = {{"resource_id", "web-1"}, {"item", std::nullopt}, {"labels.env", ""}};
  texts->resource_id = "web-1";
  alert of;
  of.alert_id = {1, 2};
  of.print = {3, 4};
  of.rule = "http-500";
  of.revision = "00aa";
  of.number = 2;
  of.at = from_unix_ms(1'772'366'400'250);
  of.state = alert_state::firing;
  of.previous_state = alert_state::pending;
  of.cause = "condition held for 5m";
  of.actor = "rule";
  of.severity = severity::critical;
  of.texts = std::move(texts);
  of.proof.event_count = 3;
  of.proof.event_ids = {"a", "b"};
  of.proof.event_ids_truncated = true;
  of.proof.first_event_time = from_unix_ms(-5);
  of.proof.last_event_time = from_unix_ms(7);
  of.proof.window = {window_kind::fixed, from_unix_ms(0), from_unix_ms(60'000)};
  of.proof.values = {{"n", 3}, {"mean", 2.5}, {"tenth", 0.1}, {"huge", 1e300}, {"minus", -4}};
  of.condition = "failures >= 3";
  of.started_at = from_unix_ms(100);
  return of;
}

constexpr const char* firing_alert_json =
    R"({"alert_id":"00000000000000010000000000000002",)"
    R"("fingerprint":"00000000000000030000000000000004","origin":"rule","rule":"http-500",)"
    R"("revision":"00aa",)"
    R"("number":2,"at":1772366400250,"state":"firing","previous_state":"pending",)"
    R"("cause":"condition held for 5m","actor":"rule","note":"","severity":"critical",)"
    R"("title":"web-1: 3 \"errors\"\n","description":"Köln","labels":{"team":"web","a":"b"},)"
    R"("annotations":{"runbook":"http://x/y"},)"
    R"("group":{"resource_id":"web-1","item":null,"labels.env":""},"resource_id":"web-1",)"
    R"("resource_type":"","resource_name":"","item":"","source_id":"","event_count":3,)"
    R"("event_ids":["a","b"],"event_ids_truncated":true,"first_event_time":-5,)"
    R"("last_event_time":7,"window":{"kind":"fixed","start":0,"end":60000},)"
    R"("values":{"n":3,"mean":2.5,"tenth":0.1,"huge":1e+300,"minus":-4},)"
    R"("condition":"failures >= 3","started_at":100,"acknowledged_at":null,)"
    R"("acknowledged_by":null,"acknowledged_until":null,"resolved_at":null,"closed_at":null,)"
    R"("assignee":null,)"
    R"("silenced_by":[],"inhibited_by":[],"muted_by":[],"flapping":false,"incident_id":null})";

TEST(alert_codec, json_has_every_key_of_the_alert_map_in_its_order) {
  EXPECT_EQ(encode_alert_json(firing_alert()), firing_alert_json);
}

TEST(alert_codec, msgpack_says_the_same_as_json) {
  const auto json = msgpack_to_json(encode_alert_msgpack(firing_alert()));
  ASSERT_TRUE(json) << json.failure().message;
  EXPECT_EQ(*json, firing_alert_json);
}

TEST(alert_codec, optional_times_are_numbers_once_they_are_known) {
  alert of = firing_alert();
  of.resolved_at = from_unix_ms(11);
  of.closed_at = from_unix_ms(12);
  const std::string json = encode_alert_json(of);
  EXPECT_NE(json.find(R"("resolved_at":11,"closed_at":12)"), std::string::npos) << json;
}

TEST(alert_codec, what_operators_and_checks_did_is_told) {
  alert of = firing_alert();
  of.origin = alert_origin::posted;
  of.state = alert_state::acknowledged;
  of.cause = "acknowledged";
  of.actor = "ann";
  of.note = "looking \"into\" it";
  of.acknowledged = acknowledgement{"ann", from_unix_ms(8), from_unix_ms(9)};
  of.assignee = "bob";
  of.shields = {{"s-1", "s-2"}, {"00ff"}, {"nights"}};
  of.flapping = true;
  of.incident_id = fingerprint{5, 6};
  const std::string json = encode_alert_json(of);
  EXPECT_NE(json.find(R"("origin":"posted","rule":)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("actor":"ann","note":"looking \"into\" it","severity":)"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("acknowledged_at":8,"acknowledged_by":"ann","acknowledged_until":9,)"
                      R"("resolved_at":null,"closed_at":null,"assignee":"bob",)"
                      R"("silenced_by":["s-1","s-2"],"inhibited_by":["00ff"],)"
                      R"("muted_by":["nights"],"flapping":true,)"
                      R"("incident_id":"00000000000000050000000000000006"})"),
            std::string::npos)
      << json;
  const auto read = msgpack_to_json(encode_alert_msgpack(of));
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(*read, json);
}

TEST(alert_codec, an_acknowledge_without_end_has_none) {
  alert of = firing_alert();
  of.acknowledged = acknowledgement{"ann", from_unix_ms(8), std::nullopt};
  EXPECT_NE(encode_alert_json(of).find(R"("acknowledged_by":"ann","acknowledged_until":null)"),
            std::string::npos);
}

TEST(alert_codec, an_alert_without_texts_has_empty_ones) {
  alert of = firing_alert();
  of.texts = nullptr;
  const std::string json = encode_alert_json(of);
  EXPECT_NE(json.find(R"("title":"","description":"","labels":{},"annotations":{},"group":{})"),
            std::string::npos)
      << json;
}

TEST(alert_codec, a_topic_names_severity_and_rule) {
  EXPECT_EQ(topic_of(firing_alert()), "alert.critical.http-500");
}

TEST(alert_codec, a_header_reads_back) {
  const auto read = decode_header(encode_header({"name", 17, ~std::uint64_t{0}, "transition"}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stream, "name");
  EXPECT_EQ(read->epoch, 17u);
  EXPECT_EQ(read->seq, ~std::uint64_t{0});
  EXPECT_EQ(read->kind, "transition");
}

TEST(alert_codec, a_header_that_is_cut_off_or_goes_on_is_malformed) {
  const std::string whole = encode_header({"name", 17, 4, "heartbeat"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = decode_header(whole.substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.failure().code, "malformed");
  }
  EXPECT_FALSE(decode_header(whole + '\xc0'));
}

TEST(alert_codec, a_header_with_a_key_missing_or_of_the_wrong_type_says_what_it_saw) {
  msgpack::sbuffer bytes;
  msgpack::packer<msgpack::sbuffer> packer{bytes};
  packer.pack_map(2);
  packer.pack("stream");
  packer.pack(5);
  packer.pack("epoch");
  packer.pack(-1);
  const auto read = decode_header({bytes.data(), bytes.size()});
  ASSERT_FALSE(read);
  EXPECT_NE(read.failure().message.find(R"({"stream":5,"epoch":-1})"), std::string::npos)
      << read.failure().message;
}

TEST(alert_codec, maps_and_lists_are_no_keys) {
  // {{{1: 1}: 1}: 1}, ...: as JSON texts in texts each level would be twice as long.
  const std::string maps = std::string(40, '\x81') + std::string(41, '\x01');
  const auto of_maps = msgpack_to_json(maps);
  ASSERT_FALSE(of_maps);
  EXPECT_EQ(of_maps.failure().code, "malformed");
  EXPECT_FALSE(msgpack_to_json("\x81\xa1k\x81\x91\x01\x01"));
  const auto of_number = msgpack_to_json("\x81\xa1k\x81\x05\x01");
  ASSERT_TRUE(of_number) << of_number.failure().message;
  EXPECT_EQ(*of_number, R"({"k":{"5":1}})");
}

TEST(alert_codec, any_msgpack_map_becomes_json) {
  msgpack::sbuffer bytes;
  msgpack::packer<msgpack::sbuffer> packer{bytes};
  packer.pack_map(7);
  packer.pack(1);
  packer.pack(true);
  packer.pack("nan");
  packer.pack(std::numeric_limits<double>::quiet_NaN());
  packer.pack("bad\xff");
  packer.pack("a\x01\xc3");
  packer.pack("list");
  packer.pack_array(2).pack_nil();
  packer.pack(std::numeric_limits<std::uint64_t>::max());
  packer.pack("bytes");
  packer.pack_bin(2).pack_bin_body("hi", 2);
  packer.pack("time");
  packer.pack_ext(2, 5).pack_ext_body("\x0a\xff", 2);
  packer.pack("deep");
  packer.pack_map(1);
  packer.pack("x");
  packer.pack(-0.5F);
  const auto json = msgpack_to_json({bytes.data(), bytes.size()});
  ASSERT_TRUE(json) << json.failure().message;
  EXPECT_EQ(*json,
            "{\"1\":true,\"nan\":null,\"bad\ufffd\":\"a\\u0001\ufffd\","
            "\"list\":[null,18446744073709551615],\"bytes\":\"hi\","
            "\"time\":{\"ext\":5,\"hex\":\"0aff\"},\"deep\":{\"x\":-0.5}}");
}

TEST(alert_codec, what_is_not_a_map_is_malformed) {
  for (const std::string& bytes :
       {std::string{}, std::string{"\x93\x01\x02\x03"}, std::string{"\xc1"}, std::string{"{}"}}) {
    const auto json = msgpack_to_json(bytes);
    ASSERT_FALSE(json);
    EXPECT_EQ(json.failure().code, "malformed");
  }
}

TEST(alert_codec, sizes_and_depths_that_lie_are_refused_before_memory_is_spent) {
  EXPECT_FALSE(msgpack_to_json(std::string{"\xdf\xff\xff\xff\xff", 5}));
  EXPECT_FALSE(msgpack_to_json(std::string{"\x81\xdb\xff\xff\xff\xff", 6}));
  EXPECT_FALSE(msgpack_to_json("\x81\xa1k" + std::string(1'000'000, '\x91') + "\x01"));
}

TEST(alert_codec, a_header_with_maps_as_keys_is_refused_and_not_printed) {
  // {{{...{}: 0}: 0}: 0}: as JSON texts in texts it would be 2^50 bytes long.
  constexpr int levels = 50;
  std::string bytes(levels, '\x81');
  bytes += '\x80';
  bytes.append(levels, '\0');
  const auto read = decode_header(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().message, "stream header: a key is a list or a map, wanted texts");
}

}  // namespace
}  // namespace tocsin
