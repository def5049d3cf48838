import FilesDriver
import Foundation
import Glibc
import HTTPServer

/// What can be seen of this machine: files, disks and limits.
enum FileProbes {
    static func dataDirectory(_ plan: Plan) -> [Finding] {
        let subject = "data directory"
        guard let status = status(of: plan.data) else {
            guard errno == ENOENT else {
                return [.failed(subject, "\(plan.data): \(reason)", "Let this user into the directories above it.")]
            }
            return [.warning(subject, "\(plan.data) is not there", "`aerugo serve` makes it; is --data right?")]
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return [.failed(subject, "\(plan.data) is no directory", "Move it away, or set `data` to a directory.")]
        }
        guard access(plan.data, R_OK | W_OK | X_OK) == 0 else {
            return [.failed(subject, "\(plan.data): \(reason)", "chown it to the user that runs the registry.")]
        }
        guard status.st_mode & 0o007 == 0 else {
            return [
                .warning(
                    subject, "everybody on this machine can look into \(plan.data) (\(octal(status)))",
                    "chmod o-rwx it.")
            ]
        }
        return [.ok(subject, "\(plan.data) (\(octal(status)))")]
    }

    /// Files that settings name, with secrets in them.
    private static let secretKeys = [
        "tls.key", "admin.password-file", "database.password-file", "redis.password-file", "mail.password-file",
        "s3.secret-key-file", "metrics.token-file",
    ]

    static func secrets(_ settings: Settings) -> [Finding] {
        secretKeys.compactMap { key in
            let path = settings.string(key)
            guard !path.isEmpty else { return nil }
            guard let status = status(of: path), access(path, R_OK) == 0 else {
                return .failed(key, "\(path): \(reason)", "Put the file there, readable for this user alone.")
            }
            guard status.st_mode & 0o007 == 0 else {
                return .warning(key, "everybody on this machine can read \(path) (\(octal(status)))", "chmod 600 it.")
            }
            return .ok(key, "\(path) (\(octal(status)))")
        }
    }

    /// Bytes and parts of a disk that are too few to go on for long, and to go on at all.
    private static let (few, none, part): (UInt64, UInt64, UInt64) = (1 << 30, 100 << 20, 20)

    static func disk(_ plan: Plan) -> [Finding] {
        var place = plan.data
        while status(of: place) == nil, place.contains("/"), place != "/" {
            place = URL(fileURLWithPath: place).deletingLastPathComponent().path
        }
        var disk = statvfs()
        guard statvfs(place, &disk) == 0 else { return [.failed("disk", "\(place): \(reason)", "Mount it.")] }
        let (free, all) = (UInt64(disk.f_bavail) * UInt64(disk.f_frsize), UInt64(disk.f_blocks) * UInt64(disk.f_frsize))
        let seen = "\(free >> 20) MiB of \(all >> 20) MiB are free"
        if free < none { return [.failed("disk", seen, "Make room: pushes fail on a full disk, deletions do not.")] }
        if disk.f_files > 0, disk.f_favail < 10_000 {
            return [.failed("disk", "\(disk.f_favail) files can be made", "Make room for more files (inodes).")]
        }
        guard free >= few, free >= all / part else { return [.warning("disk", seen, "Make room before it is full.")] }
        return [.ok("disk", seen)]
    }

    static func descriptors(_ plan: Plan) -> [Finding] {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return [.failed("open files", reason, "Look at `ulimit -n`.")]
        }
        let (wanted, possible) = (2 * plan.connections + 100, UInt64(limit.rlim_max))
        let seen = "\(possible) at most, for \(plan.connections) connections \(wanted) are wanted"
        guard possible >= UInt64(wanted) else {
            return [
                .warning(
                    "open files", seen, "Raise the hard limit (ulimit -Hn, LimitNOFILE=), or lower http.connections.")
            ]
        }
        return [.ok("open files", seen)]
    }

    /// Days before its end from which on a certificate is spoken of.
    private static let notice = 14

    static func certificate(_ plan: Plan) -> [Finding] {
        guard let identity = plan.identity else {
            return [.ok("certificate", "none: HTTP is spoken, or a proxy has TLS")]
        }
        let days = (identity.expires - Int(Date().timeIntervalSince1970)) / 86_400
        let end = Date(timeIntervalSince1970: Double(identity.expires)).ISO8601Format()
        let advice = "Put a new certificate and its key in the place of these: they are taken without a restart."
        if identity.expires <= Int(Date().timeIntervalSince1970) {
            return [.failed("certificate", "it has expired on \(end)", advice)]
        }
        if days < notice { return [.warning("certificate", "it expires in \(days) days, on \(end)", advice)] }
        return [.ok("certificate", "belongs to its key, expires on \(end)")]
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    private static func octal(_ status: stat) -> String { String(status.st_mode & 0o777, radix: 8) }

    private static var reason: String { String(cString: strerror(errno)) }
}
