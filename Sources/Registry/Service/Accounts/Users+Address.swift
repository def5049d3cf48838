import Access
import Model
import Runtime
import Store

/// One's own e-mail address. It is what a lost password is replaced through: who changes it has to know the password, and,
/// where mail is sent, to receive what is sent to the new one; the old one is told.
extension Users {
    private static let addressLife = Duration.seconds(3600)

    /// What came of a wish for another address.
    package enum AddressChanged: Sendable {
        case done(User)
        /// A code was sent, by which the address is confirmed.
        case waits
    }

    /// Changes one's own address, or takes it away where `email` is nil. Whether another user has it is told to the address
    /// alone where mail is sent. Throws `.fieldInvalid` for another password, `.nameTaken`, `.tooManyRequests`.
    package func changeAddress(
        to email: EmailAddress?, password: String, _ grant: RegistryGrant
    ) async throws(RegistryError) -> AddressChanged {
        try grant.demand(.account)
        let id = try user(grant)
        let hash = try await store.look { (db) throws(StoreError) in try db.password(of: id) }
        guard try await passwords.verify(password, against: hash) != .wrong else {
            throw RegistryError(.fieldInvalid, "the password is another one", detail: ["field": "password"])
        }
        let mustConfirm = letters.areSent
        return try await store.transact { (db) throws(StoreError) -> Result<AddressChanged, Refusal> in
            try db.hold(grant)
            // What was verified is what counts still.
            guard let user = try db.principal(id), try db.password(of: id) == hash else {
                return .failure(RegistryError(.denied, "the password was changed meanwhile: log in again"))
            }
            guard mustConfirm, let email else {
                return try db.setAddress(email?.description, of: user, by: grant.caller).map { .done($0) }
            }
            guard let wish = try db.addAddressChange(email.description, of: id, until: db.now + Self.addressLife) else {
                var refusal = RegistryError(.tooManyRequests, "too many codes were sent for you: wait an hour")
                refusal.retryAfter = .seconds(3600)
                return .failure(refusal)
            }
            try db.post(.addressChange, wish.description)
            return .success(.waits)
        }
    }

    /// Gives a user the address that a code confirms, once. Throws `.credentialsInvalid`, `.nameTaken`.
    package func confirmAddress(_ text: String, from sender: Sender) async throws(RegistryError) {
        let code = try Self.code(text, .addressChange)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            guard let wish = try db.addressChange(code: code), let user = try db.principal(wish.principal),
                user.disabledAt == nil
            else { return .failure(.codeOver) }
            let caller = Caller(Identity(.user(user.id)), sender)
            return try db.setAddress(wish.email, of: user, by: caller, detail: "by mail").map { _ in () }
        }
    }
}

extension SQLTransaction {
    /// Gives a user an address, or none. The one before is told, in the same transaction. Refuses with `.nameTaken`.
    fileprivate func setAddress(
        _ email: String?, of user: PrincipalRecord, by caller: Caller, detail: String = ""
    ) throws(StoreError) -> Result<User, Refusal> {
        if let email, let other = try self.user(email: email), other.id != user.id { return .failure(.addressTaken) }
        try setEmail(email, of: user.id)
        if let old = user.email, old != email { try post(.addressGone, "\(user.name) \(old)") }
        try audit(AuditEntry(caller, "user.email", user.name, detail: detail))
        return try shown(user.id)
    }
}
