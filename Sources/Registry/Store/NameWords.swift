import Model
import Runtime

/// What repositories and users are found by: the beginnings of their names and of the words in them, `nginx` and `proxy` of
/// `acme/nginx-proxy`, of one character to eight, and of every second length from there to 32. Rows lie in the order of beginning
/// and name, so that a page of a search is a piece of the table, however many there are that fit.
package enum NameWords {
    /// Whose words they are.
    enum Kind {
        case repositories
        case users

        /// Where they are kept, and the key of whose they are.
        var table: (name: String, key: String) {
            switch self {
            case .repositories: ("repository_words", "repository_id")
            case .users: ("user_words", "principal_id")
            }
        }
    }

    /// The length of the longest beginning that is kept of so many bytes; the rest is compared with the names that have this much
    /// of them: hardly more than fit, also where all names begin alike.
    static func kept(_ count: Int) -> Int { count <= 8 ? count : min(count & ~1, 32) }

    /// The beginnings that are kept of a name, each once.
    static func beginnings(of name: String) -> Set<String> {
        let bytes = Array(name.utf8)
        var found: Set<String> = []
        for start in bytes.indices where isWord(bytes[start]) && (start == 0 || !isWord(bytes[start - 1])) {
            for length in 1...kept(bytes.count - start) where kept(length) == length {
                found.insert(String(decoding: bytes[start..<start + length], as: UTF8.self))
            }
        }
        return found
    }

    /// What is looked for, as names have it: in small letters, without separators before it.
    static func normal(_ text: String) -> String {
        String(text.lowercased().drop { !$0.utf8.allSatisfy(isWord) })
    }

    /// The condition that rows `w` of words are of names with this in them, each as a word or the beginning of one; `place`
    /// takes an argument, and gives what stands for it.
    static func condition(_ text: String, _ place: (SQLValue) -> String) -> String {
        let word = normal(text)
        let length = kept(word.utf8.count)
        var condition = "w.prefix = \(place(.text(String(decoding: word.utf8.prefix(length), as: UTF8.self))))"
        guard word.utf8.count > length else { return condition }
        let fits = ["", "%/", "%-", "%.", "%\\_"].map { before in
            "w.name LIKE \(place(.text(before + word.literalPattern + "%"))) ESCAPE '\\'"
        }
        condition += " AND (\(fits.joined(separator: " OR ")))"
        return condition
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
    }
}

extension SQLTransaction {
    /// Keeps what something is found by.
    func addWords<Subject>(of name: String, _ id: Identifier<Subject>, _ kind: NameWords.Kind) throws(StoreError) {
        let (table, key) = kind.table
        try execute(for: NameWords.beginnings(of: name).sorted()) { prefix in
            [.text(prefix), .text(name), SQLValue(id)]
        } _: { list in
            "INSERT INTO \(table) (prefix, name, \(key)) VALUES \(list) ON CONFLICT DO NOTHING"
        }
    }

    /// Takes away what something was found by.
    func removeWords<Subject>(of name: String, _ id: Identifier<Subject>, _ kind: NameWords.Kind) throws(StoreError) {
        let (table, key) = kind.table
        for prefix in NameWords.beginnings(of: name) {
            try execute(
                "DELETE FROM \(table) WHERE prefix = $1 AND name = $2 AND \(key) = $3",
                [.text(prefix), .text(name), SQLValue(id)])
        }
    }

    /// Whether there are repositories or users whose words are not kept yet.
    package func lacksWords() throws(StoreError) -> Bool {
        for table in ["repositories", "principals"]
        where try !rows("SELECT 1 FROM \(table) WHERE has_words = 0 LIMIT 1", []).isEmpty { return true }
        return false
    }

    /// Keeps the words of some repositories and users that lack them. False when there were none.
    package func addMissingWords() throws(StoreError) -> Bool {
        let repositories = try addMissingWords("repositories", .repositories)
        let users = try addMissingWords("principals", .users)
        return repositories || users
    }

    /// All rows of the words at once, in the order in which they lie.
    private func addMissingWords(_ subjects: String, _ kind: NameWords.Kind) throws(StoreError) -> Bool {
        let (table, key) = kind.table
        var (ids, words) = ([SQLValue](), [(prefix: String, name: String, id: SQLValue)]())
        for row in try rows("SELECT id, name FROM \(subjects) WHERE has_words = 0 ORDER BY id LIMIT 128", []) {
            let (id, name) = (SQLValue.integer(try row.integer(0)), try row.text(1))
            ids.append(id)
            words += NameWords.beginnings(of: name).map { (prefix: $0, name: name, id: id) }
        }
        words.sort { ($0.prefix, $0.name) < ($1.prefix, $1.name) }
        try execute(for: words) {
            [.text($0.prefix), .text($0.name), $0.id]
        } _: { list in
            "INSERT INTO \(table) (prefix, name, \(key)) VALUES \(list) ON CONFLICT DO NOTHING"
        }
        try execute(for: ids) {
            [$0]
        } _: { list in
            "UPDATE \(subjects) SET has_words = 1 WHERE id IN (VALUES \(list))"
        }
        return !ids.isEmpty
    }
}
