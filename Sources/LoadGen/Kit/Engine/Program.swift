import Glibc

/// What measures, and where.
package enum Program {
    /// The program with its version, as it introduces itself to targets.
    package static let name = "aerugo-load/0.2"

    /// System, processor's architecture, processors and name of this machine.
    package static var machine: String {
        var system = utsname()
        guard uname(&system) == 0 else { return "" }
        let parts = withUnsafeBytes(of: &system) { bytes in
            // Five texts of one length: system, name, release, version, architecture.
            let length = bytes.count / 6
            return (0..<5).map { place in
                String(decoding: bytes[(place * length)..<((place + 1) * length)].prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        return "\(parts[1]), \(parts[0]) \(parts[2]) \(parts[4]), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors"
    }
}
