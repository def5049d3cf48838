import Model
import Runtime

/// A message of plain text to one address.
package struct Mail: Sendable {
    package let to: EmailAddress
    /// One line of ASCII.
    package let subject: String
    /// Lines that end with `\n`.
    package let text: String

    /// A message.
    package init(to: EmailAddress, subject: String, text: String) {
        self.to = to
        self.subject = subject
        self.text = text
    }
}

/// A way to send mail.
package protocol MailTransport: Sendable {
    /// Hands a message over, within a minute. Throws `.refused` where it will never be taken, and anything else where it may be
    /// the next time.
    func send(_ mail: Mail) async throws(StoreError)
}
