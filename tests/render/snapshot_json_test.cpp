#include "render/snapshot_json.h"

#include <string>

#include <doctest/doctest.h>

#include "render/state_of.h"

namespace gpup {

namespace {

constexpr std::string_view kSnapshot =
    R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "takenAt": "2026-11-22T08:41:00Z", "cluster": "HCI \"E\"", "hosts": [
  {"name": "hv-e1", "build": 20349, "edition": "azure-stack-hci", "reachable": true, "error": null, "gpus": [
    {"name": "\\\\?\\PCI#VEN_10DE", "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned", "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 16, "totalVram": 15918030848, "availableVram": 15918030848, "partitionVram": 939524096, "partitionEncode": 18446744073709551615, "partitionDecode": 1, "partitionCompute": 128},
    {"name": "g2", "model": null, "device": null, "subsystem": null, "status": "not-assignable", "validPartitionCounts": [], "partitionCount": null, "totalVram": null, "availableVram": null, "partitionVram": null, "partitionEncode": null, "partitionDecode": null, "partitionCompute": null}], "vms": [
    {"name": "no", "id": "1", "state": "Running", "clustered": true, "generation": 2, "offlineAction": "save", "dynamicMemory": false, "automaticCheckpoints": true, "partitions": [{"id": "a", "gpu": "\\\\?\\PCI#VEN_10DE", "partitionId": 7, "vram": 939524096, "encode": 2, "decode": 1}, {"id": "b", "gpu": null, "partitionId": null, "vram": null, "encode": null, "decode": null}]},
    {"name": "B\u0009ü \u001b\u007f 123: #", "id": "2", "state": "Off", "clustered": false, "generation": null, "offlineAction": null, "dynamicMemory": null, "automaticCheckpoints": null, "partitions": []}], "startsOwed": ["3", "four"]},
  {"name": "hv-e2", "build": null, "edition": null, "reachable": false, "error": "no route to host", "gpus": null, "vms": null}]}
)";

std::string snapshot_of(const ObservedState& observed) {
  StringSink sink;
  write_snapshot(observed, sink);
  return sink.text;
}

}  // namespace

TEST_CASE("a snapshot that is read and written again is the same") {
  CHECK_EQ(snapshot_of(state_of(kSnapshot)), kSnapshot);
  const std::string_view empty =
      R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "takenAt": null, "cluster": null, "hosts": []})"
      "\n";
  CHECK_EQ(snapshot_of(state_of(empty)), empty);
  CHECK_EQ(snapshot_of({}), empty);
}

TEST_CASE("a snapshot as YAML says the same") {
  StringSink sink;
  write_snapshot_yaml(state_of(kSnapshot), sink);
  CHECK_EQ(sink.text, R"(apiVersion: gpup/v1
kind: Snapshot
takenAt: "2026-11-22T08:41:00Z"
cluster: "HCI \"E\""
hosts:
  - name: "hv-e1"
    build: 20349
    edition: azure-stack-hci
    reachable: true
    error: null
    gpus:
      - name: "\\\\?\\PCI#VEN_10DE"
        model: "NVIDIA A2"
        device: "10de:25b6"
        subsystem: "157e10de"
        status: partitioned
        validPartitionCounts: [16, 8, 4, 2, 1]
        partitionCount: 16
        totalVram: 15918030848
        availableVram: 15918030848
        partitionVram: 939524096
        partitionEncode: 18446744073709551615
        partitionDecode: 1
        partitionCompute: 128
      - name: "g2"
        model: null
        device: null
        subsystem: null
        status: not-assignable
        validPartitionCounts: []
        partitionCount: null
        totalVram: null
        availableVram: null
        partitionVram: null
        partitionEncode: null
        partitionDecode: null
        partitionCompute: null
    vms:
      - name: "no"
        id: "1"
        state: "Running"
        clustered: true
        generation: 2
        offlineAction: save
        dynamicMemory: false
        automaticCheckpoints: true
        partitions:
          - id: "a"
            gpu: "\\\\?\\PCI#VEN_10DE"
            partitionId: 7
            vram: 939524096
            encode: 2
            decode: 1
          - id: "b"
            gpu: null
            partitionId: null
            vram: null
            encode: null
            decode: null
      - name: "B\u0009ü \u001b\u007f 123: #"
        id: "2"
        state: "Off"
        clustered: false
        generation: null
        offlineAction: null
        dynamicMemory: null
        automaticCheckpoints: null
        partitions: []
    startsOwed: ["3", "four"]
  - name: "hv-e2"
    build: null
    edition: null
    reachable: false
    error: "no route to host"
    gpus: null
    vms: null
)");
  ObservedState odd = state_of(kSnapshot);
  odd.hosts[0].vms[0].name = "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd";
  StringSink again;
  write_snapshot_yaml(odd, again);
  CHECK_NE(again.text.find("name: \"\\ufffe\\uffff\xef\xbf\xbd\""), std::string::npos);
}

}  // namespace gpup
