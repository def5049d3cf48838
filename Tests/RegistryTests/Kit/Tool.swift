import Foundation
import Glibc
import HTTPServer
import Runtime
import TestSupport

/// A program of the machine, run to its end: clients that know nothing of this server's code.
enum Tool {
    /// What came of it.
    struct Outcome {
        let code: Int32
        let out: [UInt8]
        let err: String

        var text: String { String(decoding: out, as: UTF8.self) }
    }

    /// Starts it, its output in files of `scratch`.
    static func start(_ words: [String], in scratch: Scratch) throws -> (process: ChildProcess, output: String) {
        let output = "\(scratch.path)/tool-\(IDSource().token())"
        let process = try ChildProcess(
            words, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": scratch.path],
            output: output + ".out",
            errors: output + ".err")
        return (process, output)
    }

    /// Runs it; a minute at most.
    static func run(_ words: [String], in scratch: Scratch) async throws -> Outcome {
        let (process, output) = try start(words, in: scratch)
        try await eventually("\(words) ends", within: .seconds(60)) { process.end() != nil }
        return Outcome(
            code: process.end() ?? -1, out: Array(FileManager.default.contents(atPath: output + ".out") ?? Data()),
            err: String(decoding: FileManager.default.contents(atPath: output + ".err") ?? Data(), as: UTF8.self))
    }
}

/// A certificate for `localhost` and 127.0.0.1 that vouches for itself, with its key, in files that are replaced as
/// certbot does: one after the other.
struct TestCertificate {
    let scratch: Scratch
    let name: String

    var certificate: String { "\(scratch.path)/\(name).crt" }
    var key: String { "\(scratch.path)/\(name).key" }

    static func make(_ name: String, in scratch: Scratch) async throws -> TestCertificate {
        let made = TestCertificate(scratch: scratch, name: name)
        let outcome = try await Tool.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2",
                "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", made.key,
                "-out", made.certificate,
            ], in: scratch)
        guard outcome.code == 0 else { throw WireError(description: "openssl: \(outcome.err)") }
        return made
    }

    func identity() throws -> ServerIdentity { try ServerIdentity(certificate: certificate, key: key) }

    /// Puts the files of another in the place of these.
    func replace(with other: TestCertificate, key isWithKey: Bool = true) throws {
        for (old, new) in [(certificate, other.certificate)] + (isWithKey ? [(key, other.key)] : []) {
            let copy = old + ".new"
            try FileManager.default.copyItem(atPath: new, toPath: copy)
            guard rename(copy, old) == 0 else { throw WireError(description: "rename: \(errno)") }
        }
    }
}
