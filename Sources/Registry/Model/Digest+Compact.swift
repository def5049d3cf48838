extension Digest {
    /// As rows have it: a byte for the algorithm and the raw hash, half the length of the text.
    package var compact: [UInt8] {
        var bytes: [UInt8] = [algorithm.mark]
        bytes.reserveCapacity(1 + algorithm.hexLength / 2)
        var high: UInt8?
        for digit in description.utf8.suffix(algorithm.hexLength) {
            let nibble = digit < 0x3a ? digit & 15 : (digit & 15) + 9
            guard let first = high else {
                high = nibble
                continue
            }
            bytes.append(first << 4 | nibble)
            high = nil
        }
        return bytes
    }

    /// A digest from its compact form; nil when it is none.
    package init?(compact: [UInt8]) {
        guard let mark = compact.first, let algorithm = Algorithm.allCases.first(where: { $0.mark == mark }),
            compact.count == 1 + algorithm.hexLength / 2
        else { return nil }
        self.init(algorithm, bytes: compact.dropFirst())
    }
}

extension Digest.Algorithm {
    fileprivate var mark: UInt8 {
        switch self {
        case .sha256: 1
        case .sha512: 2
        }
    }
}
