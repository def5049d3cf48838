/// Text from outside that does not have the form it should; the message says what form that is.
package struct ParseError: Error, Equatable, CustomStringConvertible {
    /// What was being read.
    package enum Subject: Sendable {
        case digest, digestAlgorithm, repositoryName, tag, reference, range, contentRange, manifest, mediaType
        case accountName, email, password, scope, token, keyScope, body
    }

    package let subject: Subject
    /// Safe to show to the client: says what is wrong and what would be right.
    package let message: String
    /// Of JSON: where in it, such as `scope[0].actions`; nil where it is all of it, or something else.
    package let place: String?

    /// An error about `subject`; `message` goes to the client.
    package init(_ subject: Subject, _ message: String, place: String? = nil) {
        self.subject = subject
        self.message = message
        self.place = place
    }

    package var description: String { message }
}

extension StringProtocol {
    /// At most 100 bytes of text from outside, and a mark where it was longer, for use in a message. Counted in bytes: one
    /// character can be millions of them.
    package var excerpt: String {
        guard utf8.count > 100 else { return String(self) }
        var head = Array(utf8.prefix(101))
        // No part of a character at the end.
        while head.removeLast() & 0xc0 == 0x80 {}
        return String(decoding: head, as: UTF8.self) + "…"
    }
}
