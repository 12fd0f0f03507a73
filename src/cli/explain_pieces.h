#pragma once

// Pieces of the examples: a file with one host, and the lab that it lives in. Macros, since only literals are put
// together by the compiler.

#define GPUP_HEADER "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: lab }\n"
#define GPUP_HOST_BY(connect) "hosts:\n  - name: hv-1\n    connect: { " connect " }\n"
#define GPUP_HOST GPUP_HOST_BY("transport: simulated, file: lab.json")
#define GPUP_A2(count) "gpus:\n  - model: NVIDIA A2\n    partitionCount: " count "\n"
#define GPUP_FILE(count) GPUP_HEADER GPUP_HOST GPUP_A2(count)

#define GPUP_LAB_LIKE(cluster, build, edition, host, gpus, vms)                                                \
  "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Snapshot\", \"takenAt\": \"2026-11-22T08:41:00Z\",\n "            \
  "\"cluster\": " cluster ",\n \"hosts\": [{\"name\": \"hv-1\", \"build\": " build ", \"edition\": \"" edition \
  "\", " host ",\n  \"gpus\": [" gpus "],\n  \"vms\": [" vms "]}]}\n"
#define GPUP_REACHABLE "\"reachable\": true"
#define GPUP_LAB_IN(cluster, build, edition, gpus, vms) \
  GPUP_LAB_LIKE(cluster, build, edition, GPUP_REACHABLE, gpus, vms)
#define GPUP_LAB(gpus, vms) GPUP_LAB_IN("null", "20349", "azure-stack-hci", gpus, vms)

#define GPUP_GPU_OF(name, model, device, status, count)                        \
  "{\"name\": \"" name "\", \"model\": \"" model "\", \"device\": \"" device   \
  "\", \"subsystem\": \"157e10de\",\n   \"status\": \"" status                 \
  "\", \"validPartitionCounts\": [16, 8, 4, 2, 1], \"partitionCount\": " count \
  ",\n   \"totalVram\": 15918030848, \"availableVram\": 15918030848, \"partitionVram\": null}"
#define GPUP_GPU_LIKE(name, model, status, count) GPUP_GPU_OF(name, model, "10de:25b6", status, count)
#define GPUP_GPU(name, count) GPUP_GPU_LIKE(name, "NVIDIA A2", "partitioned", count)

#define GPUP_VM_LIKE(name, id, state, clustered, generation, partitions)                                \
  "{\"name\": \"" name "\", \"id\": \"711cee18-60db-43b4-be7e-cedce5e25dd" id "\", \"state\": \"" state \
  "\", \"clustered\": " clustered ",\n   \"generation\": " generation                                   \
  ", \"offlineAction\": null, \"partitions\": [" partitions "]}"
#define GPUP_VM(name, id, partitions) GPUP_VM_LIKE(name, id, "Off", "false", "2", partitions)
#define GPUP_VM_OWED_A_START(name) GPUP_VM_LIKE(name, "0", "Off", "false, \"startOwed\": true", "2", "")
#define GPUP_ON_AS(id, gpu) \
  "{\"id\": \"" id "b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b\", \"gpu\": " gpu ", \"partitionId\": null, \"vram\": null}"
#define GPUP_ON(gpu) GPUP_ON_AS("a2", gpu)
#define GPUP_ON_TWICE(gpu) GPUP_ON(gpu) ",\n   " GPUP_ON_AS("a3", gpu)
