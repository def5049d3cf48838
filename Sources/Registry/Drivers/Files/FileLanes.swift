import Metrics
import Runtime
import Store

/// The threads of a store of files, by what they do: a read never queues behind an upload, an upload never behind a sync
/// or the reading of whole blobs. Hashing, which takes cores, gives way to event loops (`ci/bench`: p99 of blob GETs beside
/// eight uploads).
package struct FileLanes: Sendable {
    /// Opening, looking, removing.
    let reads: BlockingExecutor
    /// Writing and hashing of what arrives.
    let uploads: BlockingExecutor
    /// fsync(2): these threads wait for the disk and need no core.
    let syncs: BlockingExecutor
    /// Hashing of what is there.
    let hashes: BlockingExecutor

    /// Starts the threads.
    package init() {
        reads = BlockingExecutor(name: "reads of blobs", threads: 4, capacity: 4096)
        uploads = BlockingExecutor(name: "uploads", threads: 4, capacity: 4096, courtesy: .nice(10))
        syncs = BlockingExecutor(name: "syncs of blobs", threads: 8, capacity: 4096)
        hashes = BlockingExecutor(name: "hashing of blobs", threads: 1, capacity: 256, courtesy: .nice(15))
    }

    /// How they stand.
    var metrics: [MetricFamily] { BlockingExecutor.metrics([reads, uploads, syncs, hashes]) }

    /// Lets the threads end.
    package func stop() {
        for lane in [reads, uploads, syncs, hashes] { lane.stop() }
    }
}
