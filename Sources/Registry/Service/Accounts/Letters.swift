import Access
import Logging
import Model
import Runtime
import Store

/// What an operator may set about letters.
package struct LetterSettings: Sendable {
    /// How clients reach the registry; empty where nobody has said it.
    package var url = ""
    /// The address of a page that takes codes, with `{purpose}` and `{code}` in it; empty for none.
    package var link = ""

    /// No page.
    package init() {}
}

/// Sends the letters of the outbox. A letter is made when it is sent: its code is in no row but as a hash, and another try has
/// another code. One that cannot be sent is tried again, later each time, for about a day; a crash loses none, and may send
/// one twice.
package final class Letters: Sendable {
    private static let attempts: Int64 = 14
    private static let codeLife = Duration.seconds(3600)

    private let store: MetadataStore
    private let transport: (any MailTransport)?
    private let settings: LetterSettings
    private let log: Logger

    init(_ store: MetadataStore, _ transport: (any MailTransport)?, _ settings: LetterSettings, _ log: Logger) {
        self.store = store
        self.transport = transport
        self.settings = settings
        self.log = log
    }

    /// Whether mail is sent at all.
    package var areSent: Bool { transport != nil }

    /// Sends what is due, each second until it is cancelled, and removes codes whose time is over now and then.
    package func run() async {
        var seconds = 0
        while !Task.isCancelled {
            await deliver()
            if seconds % 600 == 0 { await expire() }
            seconds += 1
            await MetadataStore.sleep(.seconds(1))
        }
    }

    /// Sends what is due.
    package func deliver() async {
        guard let transport else { return }
        do throws(StoreError) {
            while try await store.read({ (db) throws(StoreError) in try db.hasDueLetters() }) {
                let letters = try await store.write { (db) throws(StoreError) in
                    try db.takeLetters(limit: 16, pause: Self.pause)
                }
                for letter in letters where !Task.isCancelled { try await deliver(letter, by: transport) }
            }
        } catch {
            log.error("letters cannot be read", metadata: ["cause": "\(error.cause)"])
        }
    }

    /// From a minute, which is longer than sending takes, to two hours.
    private static func pause(_ attempts: Int64) -> Duration { .seconds(min(7200, 60 << min(attempts, 7))) }

    private func deliver(_ letter: LetterRecord, by transport: any MailTransport) async throws(StoreError) {
        guard let mail = try await mail(letter) else { return try await remove(letter) }
        do throws(StoreError) {
            try await transport.send(mail)
        } catch {
            let isOver = error.code == .refused || letter.attempts + 1 >= Self.attempts
            log.warning(
                isOver ? "a letter cannot be sent" : "a letter is not sent yet",
                metadata: [
                    "kind": "\(letter.kind.rawValue)", "attempt": "\(letter.attempts + 1)", "cause": "\(error.cause)",
                ])
            guard isOver else { return }
        }
        try await remove(letter)
    }

    private func remove(_ letter: LetterRecord) async throws(StoreError) {
        try await store.write { (db) throws(StoreError) in try db.removeLetter(letter.id) }
    }

    /// The letter itself, with its code; nil where there is nobody to send it to.
    private func mail(_ letter: LetterRecord) async throws(StoreError) -> Mail? {
        switch letter.kind {
        case .passwordReset:
            let code = OpaqueSecret.make(.passwordReset)
            let found = try await store.write { (db) throws(StoreError) -> (String, String)? in
                let text = letter.payload
                let user = try text.contains("@") ? db.user(email: text) : db.user(text)
                guard let user, user.disabledAt == nil, let email = user.email,
                    try db.maySendReset(to: user.id, by: letter.id)
                else { return nil }
                try db.keepReset(code.hash, of: user.id, by: letter.id, until: db.now + Self.codeLife)
                try db.audit(AuditEntry(.letters, "password.code", user.name, in: user.namespace))
                return (user.name, email)
            }
            return found.flatMap { name, email in
                compose(
                    email, "Your password at the registry",
                    "Somebody, you perhaps, has asked for a new password of the user \(name).", "password-reset", code,
                    """
                    The code is good for an hour, and once. If it was not you who asked, do nothing: the password stays as
                    it is.
                    """)
            }
        case .registration:
            let code = OpaqueSecret.make(.registration)
            let found = try await store.write { (db) throws(StoreError) -> (RegistrationRecord, isTaken: Bool)? in
                guard let id = Int64(letter.payload), let waiting = try db.registration(RegistrationID(id)) else {
                    return nil
                }
                let isTaken = try db.user(email: waiting.email) != nil
                if isTaken { try db.removeRegistration(waiting.id) } else { try db.setCode(code.hash, of: waiting.id) }
                return (waiting, isTaken)
            }
            return found.flatMap { waiting, isTaken in
                isTaken ? taken(waiting.email) : confirmation(waiting, code)
            }
        case .addressChange: return try await addressChange(letter)
        case .addressGone:
            let words = letter.payload.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { return nil }
            return compose(
                words[1], "Your address at the registry",
                "The user \(words[0]) has another e-mail address from now on, or none: this one is not theirs any more.",
                nil,
                nil, "If it was not you who changed it, ask an administrator of the registry.")
        }
    }

    private func addressChange(_ letter: LetterRecord) async throws(StoreError) -> Mail? {
        let code = OpaqueSecret.make(.addressChange)
        let found = try await store.write { (db) throws(StoreError) -> (user: String, email: String, isTaken: Bool)? in
            guard let id = Int64(letter.payload), let wish = try db.addressChange(AddressChangeID(id)),
                let user = try db.principal(wish.principal), user.disabledAt == nil
            else { return nil }
            let isTaken = try db.user(email: wish.email).map { $0.id != user.id } ?? false
            if !isTaken { try db.setCode(code.hash, of: wish.id) }
            return (user.name, wish.email, isTaken)
        }
        return found.flatMap { user, email, isTaken in
            guard !isTaken else {
                return compose(
                    email, "You have an account at the registry",
                    "Somebody, you perhaps, wanted to have this address for another account of theirs.", nil, nil,
                    "There is an account with it already, and nothing has changed.")
            }
            return compose(
                email, "Confirm your address at the registry", "The user \(user) wants to have this address.", "email",
                code,
                "The code is good for an hour, and once. If it was not you, do nothing: nothing changes then.")
        }
    }

    private func confirmation(_ waiting: RegistrationRecord, _ code: OpaqueSecret) -> Mail? {
        compose(
            waiting.email, "Confirm your address at the registry",
            "Somebody, you perhaps, has registered as \(waiting.name) with this address.", "register", code,
            "The code is good for a day. If it was not you, do nothing: no account is made.")
    }

    private func taken(_ email: String) -> Mail? {
        compose(
            email, "You have an account at the registry", "Somebody, you perhaps, has registered with this address.",
            nil, nil,
            "There is an account with it already. If you have lost its password, ask for a new one.")
    }

    private func compose(
        _ email: String, _ subject: String, _ why: String, _ purpose: String?, _ code: OpaqueSecret?, _ end: String
    ) -> Mail? {
        let to: EmailAddress
        do throws(ParseError) {
            to = try EmailAddress.parse(email)
        } catch {
            log.warning("a letter cannot be sent", metadata: ["cause": "the account's address is none"])
            return nil
        }
        var text = "Hello,\n\n\(why)\n"
        if !settings.url.isEmpty { text += "The registry is \(settings.url)\n" }
        if let purpose, let code {
            text += "\nThe code is\n\n    \(code.text)\n\n"
            if settings.link.isEmpty {
                text += "It is sent as \"token\" to /api/v1/auth/\(purpose)/confirm.\n"
            } else {
                let link = settings.link.replacing("{purpose}", with: purpose).replacing("{code}", with: code.text)
                text += "or follow \(link)\n"
            }
        }
        return Mail(to: to, subject: subject, text: text + "\n\(end)\n")
    }

    /// Removes codes and registrations whose time is over, in parts.
    package func expire() async {
        await store.removeOld("old codes", log) { (db, limit) throws(StoreError) in
            try db.removeExpiredCodes(limit: limit)
        }
    }
}

extension Caller {
    /// Who sends letters: the registry itself.
    fileprivate static let letters = Caller(Identity(.system), requestID: "", address: "")
}
