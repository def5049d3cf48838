import FilesDriver
import Foundation
import HTTP
import Model
import PostgresDriver
import RedisDriver
import Runtime
import S3Driver
import SMTPDriver
import SQLiteDriver
import Store

/// What is reached through a driver.
enum StoreProbes {
    /// Database, clock and blobs: of a server that runs what it says of them, as an embedded database is its alone.
    static func stores(_ plan: Plan, _ server: ServerState) async -> [Finding] {
        var findings: [Finding] = []
        if case .answers(let socket) = server { findings += await health(socket) }
        if let database = plan.database { return findings + (await postgres(database, plan)) }
        switch server {
        case .answers: return findings
        case .silent, .unknown: return [.ok("database", "SQLite, in use by the server: not looked at")]
        case .absent: return [.ok("database", "SQLite, which the first start makes")]
        case .none: return await embedded(plan)
        }
    }

    private static func health(_ socket: SocketTransport) async -> [Finding] {
        let outcome = await Doctor.blocking {
            Result { () throws(ConfigurationError) in try socket.exchange(APICall(.get, ["system", "health"])) }
        }
        guard case .success(let answer) = outcome else {
            return [.failed("server", "does not answer at \(socket.path)", "Look at its log; it may hang.")]
        }
        guard answer.isGood else {
            return [.failed("server", "says \(answer.status): \(answer.reason)", "Look at its log.")]
        }
        return answer.items.map { item in
            let name = item["name"] as? String ?? "?"
            guard item["works"] as? Bool == true else {
                return .failed(
                    name, item["detail"] as? String ?? "does not work", "Look at what runs it, and at the log.")
            }
            return .ok(name, "works, says the server")
        }
    }

    /// SQLite and files, held as a server would for as long as they are looked at.
    private static func embedded(_ plan: Plan) async -> [Finding] {
        let advice =
            "Restore the directory from a backup if it is damaged; a full or broken disk says so in the system's log."
        do throws(StoreError) {
            let data = try DataDirectory(path: plan.data)
            defer { withExtendedLifetime(data) {} }
            guard FileManager.default.fileExists(atPath: data.database) else {
                return [.failed("database", "\(data.database) is not there", advice)]
            }
            let store = MetadataStore(try SQLiteDatabase(path: data.database))
            let known = try await store.read { (db) throws(StoreError) in try db.blobStore() }
            let found = Finding.ok("database", "SQLite, can be read and written")
            if let s3 = plan.s3 { return [found] + (await objects(s3, known)) }
            do throws(StoreError) {
                try await FileBlobStore(directory: data.blobs, id: known ?? "-").check()
                return [found, .ok("blobs", data.blobs)]
            } catch {
                return [found, .failed("blobs", error.cause, "Mount the disk with the blobs, or correct `data`.")]
            }
        } catch {
            return [.failed("database", error.cause, advice)]
        }
    }

    private static func postgres(_ settings: PostgresSettings, _ plan: Plan) async -> [Finding] {
        do throws(StoreError) {
            let database = try await PostgresDatabase.open(settings, isPreparing: false)
            let before = Clocks.system.wall()
            let answer = try await database.ask(
                """
                SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT),
                    CAST(CASE WHEN to_regclass('migrations') IS NULL THEN 0 ELSE 1 END AS BIGINT)
                """)
            let after = Clocks.system.wall()
            guard let row = answer.first else { throw StoreError(.unavailable, "it gives no answer") }
            let (theirs, ours) = (try row.integer(0), (before.milliseconds + after.milliseconds) / 2)
            let place = Finding.ok("database", "PostgreSQL at \(settings.description)")
            let clock = clock(theirs - ours, within: (after.milliseconds - before.milliseconds) / 2)
            guard try row.integer(1) == 1 else {
                return [place, clock, .ok("blobs", "there are none yet: the first start makes their store")]
            }
            let known = try await MetadataStore(database).read { (db) throws(StoreError) in try db.blobStore() }
            return [place, clock] + (await blobs(plan, known))
        } catch {
            return [
                .failed(
                    "database", "\(settings.description): \(error.cause)",
                    "Start it, or correct database.*; `psql` with the same values tells more.")
            ]
        }
    }

    private static func blobs(_ plan: Plan, _ known: String?) async -> [Finding] {
        if let s3 = plan.s3 { return await objects(s3, known) }
        do throws(StoreError) {
            try await FileBlobStore(directory: "\(plan.data)/blobs", id: known ?? "-").check()
            return [.ok("blobs", "\(plan.data)/blobs")]
        } catch {
            return [.failed("blobs", error.cause, "Mount the disk with the blobs, or correct `data`.")]
        }
    }

    /// How far this machine's clock may be from the database's, in milliseconds: to be told, and to be borne by tokens.
    private static let (told, borne): (Int64, Int64) = (1000, 30_000)

    private static func clock(_ difference: Int64, within uncertainty: Int64) -> Finding {
        let seen = "\(difference) ms behind the database's (± \(uncertainty) ms)"
        let advice = "Synchronize both clocks (NTP): leases, tokens and the order of entries go by them."
        let least = abs(difference) - uncertainty
        if least > borne { return .failed("clock", seen, advice) }
        return least > told ? .warning("clock", seen, advice) : .ok("clock", seen)
    }

    private static func objects(_ plan: S3Plan, _ known: String?) async -> [Finding] {
        do throws(StoreError) {
            // With an id nothing is made where there is nothing.
            let store = try await S3BlobStore.open(plan.store, credentials: plan.credentials, id: known ?? "-")
            defer { store.close() }
            try await store.check()
            return [.ok("blobs", "S3 at \(plan.store.description)")]
        } catch {
            return [
                .failed(
                    "blobs", "\(plan.store.description): \(error.cause)",
                    "Correct s3.*, and look whether bucket and keys are those that the registry was made with.")
            ]
        }
    }

    static func redis(_ plan: Plan) async -> [Finding] {
        guard let settings = plan.redis else { return [] }
        let cache = await RedisCache.open(settings)
        do throws(StoreError) {
            try await cache.check()
            return [.ok("Redis", settings.description)]
        } catch {
            return [
                .warning(
                    "Redis", "\(settings.description): \(error.cause)",
                    "Start it, or correct redis.*: until then each node counts for itself, and is slower after a start."
                )
            ]
        }
    }

    static func mail(_ plan: Plan) async -> [Finding] {
        guard let server = plan.mail else { return [] }
        let place = "\(server.host):\(server.port)"
        do throws(StoreError) {
            try await SMTPTransport(server).check()
            return [.ok("mail", place)]
        } catch {
            return [
                .failed(
                    "mail", error.cause, "Correct mail.*: letters wait in the database, and are sent once it works.")
            ]
        }
    }
}
