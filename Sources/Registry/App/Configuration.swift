import Configuration
import Foundation
import Yams

/// A setting that cannot be used as it is; the message names its key.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    /// What the program ends with: 2 for a bad setting, 1 for a good one that cannot be had.
    var exitCode: Int32 = 2
}

/// The effective settings: flags over environment over file over defaults.
struct Settings: Sendable {
    /// Where a value comes from, for a person.
    private typealias Source = (name: String, provider: any ConfigProvider)

    private let values: [String: (value: String, source: String)]

    /// Reads all sources. `flags` by key. Throws `ConfigurationError` for an unknown key anywhere.
    init(flags: [String: String], environment: [String: String], file: String?) throws {
        let known = Set(Setting.all.map(\.key))
        for key in flags.keys where !known.contains(key) { throw Self.unknown(key, "--set") }
        let variables = Set(Setting.all.map(\.variable) + ["AERUGO_CONFIG", "AERUGO_KEYRING", "AERUGO_STRICT"])
        // Kubernetes sets AERUGO_PORT… and AERUGO_SERVICE_… of itself where a service is called aerugo; the others are
        // those of the programs beside this one.
        let foreign = [
            "AERUGO_PORT", "AERUGO_SERVICE_", "AERUGO_SERVICES", "AERUGO_CONFORMANCE_", "AERUGO_LOAD_", "AERUGO_TEST_",
        ]
        for name in environment.keys.sorted() where name.hasPrefix("AERUGO_") && !variables.contains(name) {
            if foreign.contains(where: name.hasPrefix) { continue }
            throw Self.unknown(name, "the environment")
        }
        var sources: [Source] = [
            ("flag", Self.provider(flags)),
            (
                "environment",
                EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "aerugo")
            ),
        ]
        if let file = file ?? environment["AERUGO_CONFIG"] {
            let content = try Self.read(file)
            for key in content.keys.sorted() where !known.contains(key) { throw Self.unknown(key, file) }
            sources.append((file, Self.provider(content)))
        }
        sources.append(
            ("default", Self.provider(Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.key, $0.standard) }))))
        var values: [String: (String, String)] = [:]
        for setting in Setting.all {
            let key = Self.path(setting.key)
            for source in sources where values[setting.key] == nil {
                guard case .string(let value)? = try source.provider.value(forKey: key, type: .string).value?.content
                else { continue }
                values[setting.key] = (value, source.name)
            }
        }
        self.values = values
    }

    /// A line a setting: key, value, where it comes from.
    var listing: String {
        let width = Setting.all.map(\.key.count).max() ?? 0
        return Setting.all.map { setting in
            let (value, source) = values[setting.key] ?? ("", "")
            let shown = setting.isSecret && !value.isEmpty ? "********" : value
            let key = setting.key.padding(toLength: width, withPad: " ", startingAt: 0)
            return "\(key)  \(shown.isEmpty ? "\"\"" : shown)  (\(source))"
        }.joined(separator: "\n")
    }

    func string(_ key: String) -> String { values[key]?.value ?? "" }

    /// Throws `ConfigurationError` unless the value is `true` or `false`.
    func flag(_ key: String) throws -> Bool {
        guard let value = Bool(string(key)) else { throw wrong(key, "true or false") }
        return value
    }

    /// Throws `ConfigurationError` unless the value is a whole number in `range`.
    func number(_ key: String, in range: ClosedRange<Int>) throws -> Int {
        guard let value = Int(string(key)), range.contains(value) else {
            throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func wrong(_ key: String, _ wanted: String) -> ConfigurationError {
        let (value, source) = values[key] ?? ("", "")
        return ConfigurationError(description: "\(key) (\(source)) is '\(value)': it must be \(wanted)")
    }

    private static func unknown(_ key: String, _ source: String) -> ConfigurationError {
        ConfigurationError(description: "unknown key '\(key)' in \(source): `aerugo config` lists the keys there are")
    }

    private static func path(_ key: String) -> AbsoluteConfigKey {
        AbsoluteConfigKey(key.replacing("-", with: "_").split(separator: ".").map(String.init))
    }

    private static func provider(_ values: [String: String]) -> InMemoryProvider {
        InMemoryProvider(
            values: Dictionary(
                uniqueKeysWithValues: values.map { (path($0.key), ConfigValue(.string($0.value), isSecret: false)) }))
    }

    /// A YAML file's scalars by dotted key; lists are joined by commas.
    private static func read(_ file: String) throws -> [String: String] {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ConfigurationError(
                description: "cannot read the configuration file \(file): \(error.localizedDescription)")
        }
        do {
            var values: [String: String] = [:]
            guard let root = try Yams.compose(yaml: text) else { return [:] }
            try flatten(root, "", file, into: &values)
            return values
        } catch let error as YamlError {
            throw ConfigurationError(description: "\(file) is not YAML: \(error)")
        }
    }

    private static func flatten(
        _ node: Node, _ key: String, _ file: String, into values: inout [String: String]
    ) throws {
        func put(_ value: String) throws {
            guard values.updateValue(value, forKey: key) == nil else {
                throw ConfigurationError(description: "\(file): '\(key)' stands there twice")
            }
        }
        switch node {
        case .scalar(let scalar) where !key.isEmpty && node.tag != Tag(.null): try put(scalar.string)
        case .sequence(let items) where !key.isEmpty && items.allSatisfy { $0.scalar != nil && $0.tag != Tag(.null) }:
            try put(items.compactMap(\.scalar?.string).joined(separator: ","))
        case .mapping(let mapping):
            for (name, value) in mapping {
                try flatten(value, (key.isEmpty ? "" : key + ".") + (name.string ?? ""), file, into: &values)
            }
        default:
            throw ConfigurationError(description: "\(file): '\(key)' must be a value, or at the top keys with values")
        }
    }
}
