/// Text from outside that does not have the form it should; the message says what form that is.
package struct ParseError: Error, Equatable, CustomStringConvertible {
    /// What was being read.
    package enum Subject: Sendable {
        case digest, digestAlgorithm, repositoryName, tag, reference, range, contentRange, manifest, mediaType
    }

    package let subject: Subject
    /// Safe to show to the client: says what is wrong and what would be right.
    package let message: String

    /// An error about `subject`; `message` goes to the client.
    package init(_ subject: Subject, _ message: String) {
        self.subject = subject
        self.message = message
    }

    package var description: String { message }
}

extension StringProtocol {
    /// At most 100 characters of text from outside, for use in a message.
    package var excerpt: String {
        utf8.count <= 100 ? String(self) : String(prefix(100)) + "…"
    }
}
