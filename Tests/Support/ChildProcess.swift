import CLinux
import Foundation
import Glibc
import Synchronization

/// A program that a test starts and that cannot outlive it: killed with the last reference to it, and by the kernel when the
/// tests' process dies, however that happens. It has a session of its own, and of the tests' descriptors none.
package final class ChildProcess: Sendable {
    /// It could not be started.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let pid: pid_t
    private let status = Mutex<Int32?>(nil)

    /// Starts a program, the first of `words` (looked for on PATH where it has no slash), with its input from nowhere, its
    /// output appended to the file `output`, and its errors to `errors` or there too.
    package init(
        _ words: [String], environment: [String: String], output: String, errors: String? = nil
    ) throws(Failure) {
        let outcome = Spawner.shared.run { Self.spawn(words, environment, output, errors ?? output) }
        switch outcome {
        case .success(let pid): self.pid = pid
        case .failure(let failure): throw failure
        }
    }

    deinit { kill() }

    private static func spawn(
        _ words: [String], _ environment: [String: String], _ output: String, _ errors: String
    ) -> Result<pid_t, Failure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, path) in [(Int32(1), output), (2, errors)] {
            posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        aerugo_spawn_closes_from(&actions, 3)
        // Whoever runs the tests may ignore or block signals; one that cannot be ended would outlive them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | aerugo_spawn_setsid
        posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
        // The kernel sends the signal when the thread that spawned ends: `Spawner`'s lives as long as the process.
        let words = ["setpriv", "--pdeathsig", "KILL", "--"] + words
        var arguments = words.map { strdup($0) } + [nil]
        // An instrumented program is told by it where to leave what it has run.
        let profile = ProcessInfo.processInfo.environment["LLVM_PROFILE_FILE"].map { ["LLVM_PROFILE_FILE": $0] } ?? [:]
        var variables = environment.merging(profile) { own, _ in own }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, "setpriv", &actions, &attributes, &arguments, &variables)
        guard code == 0 else {
            return .failure(Failure(description: "cannot start \(words): \(String(cString: strerror(code)))"))
        }
        return .success(pid)
    }

    /// Sends it a signal, unless it has ended.
    package func signal(_ signal: Int32) {
        status.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
    }

    /// Exit code, or the negative signal that ended it; nil while it runs.
    package func end() -> Int32? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
            status = Self.code(raw)
            return status
        }
    }

    /// Blocks until it has ended: `end()`, then.
    package func wait() -> Int32 {
        while true {
            if let code = end() { return code }
            var info = siginfo_t()
            waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT)
        }
    }

    /// Ends it and all that it has started, as a crash of the machine would.
    package func kill() {
        status.withLock { status in
            guard status == nil else { return }
            Glibc.kill(-pid, SIGKILL)
            Glibc.kill(pid, SIGKILL)
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            status = Self.code(raw)
        }
    }

    private static func code(_ raw: Int32) -> Int32 { raw & 0x7f == 0 ? (raw >> 8) & 0xff : -(raw & 0x7f) }
}

/// The one thread that starts children; it ends with the process.
private final class Spawner: Sendable {
    static let shared = Spawner()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let changed = NSCondition()

    private init() {
        Thread.detachNewThread { [self] in
            while true { next()() }
        }
    }

    private func next() -> @Sendable () -> Void {
        changed.lock()
        defer { changed.unlock() }
        while true {
            if let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return job }
            changed.wait()
        }
    }

    /// Runs `body` on the thread; waits for what it gives, which is soon.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
        let outcome = Mutex<Value?>(nil)
        let done = DispatchGroup()
        done.enter()
        changed.lock()
        jobs.withLock {
            $0.append {
                let value = body()
                outcome.withLock { $0 = value }
                done.leave()
            }
        }
        changed.signal()
        changed.unlock()
        done.wait()
        return outcome.withLock { $0 } ?? body()
    }
}
