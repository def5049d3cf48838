import FoundationEssentials

/// The body of a token endpoint's answer.
struct TokenAnswer {
    let value: String
    let lifetime: Duration

    private struct Fields: Decodable {
        let token: String?
        let access_token: String?
        let expires_in: Double?
    }

    /// `nil` when it is no JSON object with a token. Without a lifetime, 60 s, as Docker's document says.
    init?(json: [UInt8]) {
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: Data(json))
        } catch {
            return nil
        }
        guard let value = fields.token ?? fields.access_token, !value.isEmpty,
            value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        self.value = value
        let seconds = fields.expires_in ?? 60
        lifetime = .seconds(seconds.isFinite ? min(max(seconds, 1), 86_400) : 60)
    }
}
