import Foundation

extension RecordedBody {
    /// Describes bytes; `prefix` are the first of them, all of them when the text is to be kept.
    init(length: Int, digest: String, prefix: [UInt8]) {
        let isWhole = prefix.count == length && length <= 16_384
        let isText = isWhole && !prefix.contains { $0 < 9 } && String(validating: prefix, as: UTF8.self) != nil
        self.init(length: length, digest: digest, text: isText ? String(decoding: prefix, as: UTF8.self) : nil)
    }
}

extension RecordedExchange {
    /// The exchange with its secrets masked. Manifests and blobs are content: their members' names say nothing.
    func masked(by masker: Masker) -> RecordedExchange {
        var masked = self
        masked.url = masker.text(url)
        masked.headers = headers.mapValues { $0.map(masker.text) }
        masked.answerHeaders = answerHeaders.mapValues { $0.map(masker.text) }
        let isContent = url.hasPrefix("@") || url.contains("/manifests/") || url.contains("/blobs/")
        masked.body?.text = body?.text.map(isContent ? masker.literals : masker.text)
        masked.answerBody?.text = answerBody?.text.map(isContent ? masker.literals : masker.text)
        return masked
    }

    /// The digest of what the answer is about, by tag or digest, whole or in part, with a body or without.
    var contentDigest: String? {
        answerHeaders["docker-content-digest"]?.first ?? (status == 200 && cut != true ? answerBody?.digest : nil)
    }
}

extension Recording {
    /// The file's text. Throws only when Foundation cannot write JSON.
    package func text(_ masker: Masker) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines = ["{\"title\":\(JSONText.string(title)),\"version\":1}"]
        lines += try exchanges.map { String(decoding: try encoder.encode($0.masked(by: masker)), as: UTF8.self) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads a file. Throws `RunnerFailure` when it is none of this kind.
    package init(path: String) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw RunnerFailure("cannot read \(path)")
        }
        do throws(RecordingError) {
            try self.init(text: text, file: path)
        } catch {
            throw RunnerFailure(error.description)
        }
    }
}
