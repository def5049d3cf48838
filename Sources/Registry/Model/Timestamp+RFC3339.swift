extension Timestamp {
    private static let day: Int64 = 86_400_000

    /// In UTC, to the millisecond: `2026-11-25T22:30:00.000Z` (RFC 3339 section 5.6).
    package var rfc3339: String {
        // What no row says: past the year 9999 it is that year's end.
        let moment = min(max(0, milliseconds), 253_402_300_799_999)
        let rest = moment % Self.day
        let (year, month, date) = Self.date(ofDay: moment / Self.day)
        let two = { (number: Int64) in (number < 10 ? "0" : "") + "\(number)" }
        let padded = { (number: Int64, width: Int) in
            String(repeating: "0", count: max(0, width - "\(number)".utf8.count)) + "\(number)"
        }
        let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60)
        return "\(padded(year, 4))-\(two(month))-\(two(date))T\(two(hours)):\(two(minutes)):\(two(seconds))."
            + "\(padded(rest % 1000, 3))Z"
    }

    /// Reads a time of RFC 3339, with an offset or `Z`; of seconds' fractions the first three digits count. Nil for anything
    /// else, and for years before 1970 or after 9999.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] | 0x20 == 0x74,
            bytes[13] == 0x3a, bytes[16] == 0x3a
        else { return nil }
        let number = { (range: Range<Int>) -> Int64? in
            guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard let year = number(0..<4), let month = number(5..<7), let date = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            year >= 1970, (1...12).contains(month), (1...31).contains(date), hour < 24, minute < 60, second <= 60
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        if bytes[at] == UInt8(ascii: ".") {
            let digits = bytes[(at + 1)...].prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            fraction = (Array(digits) + [0x30, 0x30]).prefix(3).reduce(0) { $0 * 10 + Int64($1 - 0x30) }
            at += 1 + digits.count
        }
        guard at < bytes.count else { return nil }
        var offset: Int64 = 0
        if bytes[at] | 0x20 == UInt8(ascii: "z") {
            guard at + 1 == bytes.count else { return nil }
        } else {
            guard at + 6 == bytes.count, bytes[at + 3] == 0x3a, let hours = number(at + 1..<at + 3),
                let minutes = number(at + 4..<at + 6), bytes[at] == 0x2b || bytes[at] == 0x2d
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[at] == 0x2b ? 1 : -1)
        }
        let day = Self.day(year, month, date)
        guard Self.date(ofDay: day) == (year, month, date) else { return nil }
        self.init(
            milliseconds: day * Self.day + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction)
    }

    /// The day of the Gregorian calendar so many days after 1970 began; years are counted from March, in cycles of 400.
    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let shifted = day + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofCycle = shifted - cycle * 146_097
        let year = (ofCycle - ofCycle / 1460 + ofCycle / 36_524 - ofCycle / 146_096) / 365
        let ofYear = ofCycle - (365 * year + year / 4 - year / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (year + cycle * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func day(_ year: Int64, _ month: Int64, _ date: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let cycle = year / 400
        let ofCycle = year - cycle * 400
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + date - 1
        return cycle * 146_097 + ofCycle * 365 + ofCycle / 4 - ofCycle / 100 + ofYear - 719_468
    }
}
