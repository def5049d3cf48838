import Logging
import Model
import Runtime
import Store

/// What one pass of the scrub has found.
package struct ScrubResult: Sendable, Equatable {
    /// Blobs that were read through.
    package var read = 0
    /// Blobs that could not be read, which says nothing of their bytes.
    package var unread = 0
    /// Blobs whose bytes have become others.
    package var condemned = 0
    /// Condemned blobs whose bytes are right again.
    package var recovered = 0

    /// Nothing yet.
    package init() {}
}

/// The scrub: blobs are read through that nobody may have asked for in years, before that many more copies of them are lost.
extension Registry {
    /// Between two passes.
    private static let interval = Duration.seconds(3600)
    /// How old a blob is when it is read for the first time since it came, and how long a condemned one waits for another look.
    private static let first = Duration.seconds(86_400)
    /// How long a look counts.
    private static let lasting = Duration.seconds(30 * 86_400)
    private static let page = 256

    /// Scrubs, pass after pass, if the limits have a rate for it. Runs until it is cancelled.
    package func scrub() async {
        guard limits.scrubRate > 0 else { return }
        while !Task.isCancelled {
            await MetadataStore.sleep(Self.interval)
            _ = await scrubOnce()
        }
    }

    /// One pass over all blobs: reads those through that are due, at most `Limits.scrubRate` bytes a second on the average of a
    /// few seconds. Ends early when the store is not there, and with its task.
    package func scrubOnce(
        _ sleep: @Sendable @escaping (Duration) async -> Void = MetadataStore.sleep
    ) async -> ScrubResult {
        var (result, last) = (ScrubResult(), BlobID?.none)
        let rate = Double(max(1, limits.scrubRate))
        do throws(StoreError) {
            repeat {
                let page = try await store.read { [last] (db) throws(StoreError) in
                    try db.blobs(after: last, limit: Self.page)
                }
                for blob in page where isDue(blob) {
                    guard isServing, !Task.isCancelled else { return told(result) }
                    let verdict = await verify(blob.digest, at: blob.location) { bytes in
                        await sleep(.seconds(Double(bytes) / rate))
                    }
                    count(verdict, of: blob, in: &result)
                }
                last = page.count == Self.page ? page.last?.id : nil
            } while last != nil
        } catch {
            log.error("scrub failed", metadata: ["cause": "\(error.cause)"])
        }
        return told(result)
    }

    private func isDue(_ blob: StoredBlob) -> Bool {
        let now = store.clocks.wall()
        guard let checked = blob.checkedAt else { return blob.createdAt < now - Self.first }
        return checked < now - (blob.location.isDamaged ? Self.first : Self.lasting)
    }

    private func count(_ verdict: Verdict, of blob: StoredBlob, in result: inout ScrubResult) {
        switch verdict {
        case .same:
            result.read += 1
            scrubs.read.add()
            guard blob.location.isDamaged else { return }
            result.recovered += 1
            scrubs.recovered.add()
            log.notice("a blob that was condemned is whole again", metadata: ["digest": "\(blob.digest)"])
        case .damaged:
            result.read += 1
            scrubs.read.add()
            guard !blob.location.isDamaged else { return }
            result.condemned += 1
            scrubs.condemned.add()
        case .unread:
            result.unread += 1
            scrubs.unread.add()
        }
    }

    /// Says in the log what was found, unless nothing was due.
    private func told(_ result: ScrubResult) -> ScrubResult {
        guard result != ScrubResult() else { return result }
        log.log(
            level: result.condemned + result.unread > 0 ? .warning : .info, "blobs were read through",
            metadata: [
                "read": "\(result.read)", "condemned": "\(result.condemned)", "recovered": "\(result.recovered)",
                "unreadable": "\(result.unread)",
            ])
        return result
    }
}
