import Logging
import Runtime
import Store

extension MetadataStore {
    /// Most rows that one transaction of a removal takes away, so that nobody waits long behind it.
    private static let part = 500

    /// Removes what is over, in parts: `body` removes at most `limit` rows and gives how many they were. What cannot be removed now
    /// stays for the next time; the log says so, and calls it `what`.
    func removeOld(
        _ what: String, _ log: Logger,
        _ body: @Sendable @escaping (_ db: SQLTransaction, _ limit: Int) throws(StoreError) -> Int
    ) async {
        do throws(StoreError) {
            while try await write({ (db) throws(StoreError) in try body(db, Self.part) }) >= Self.part {}
        } catch {
            log.error("\(what) cannot be removed", metadata: ["cause": "\(error.cause)"])
        }
    }

    /// Runs `body` each hour, and now, until it is cancelled.
    static func hourly(_ body: () async -> Void) async {
        while !Task.isCancelled {
            await body()
            await sleep(.seconds(3600))
        }
    }
}
