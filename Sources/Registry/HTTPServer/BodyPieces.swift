import NIOCore

/// Memory for bodies on their way, used again and again. On one event loop alone.
///
/// Pieces are large while there is room, and small when many bodies share it: ten thousand that trickle hold 4 KiB each.
final class BodyPieces {
    /// Bytes of a piece of a body that goes on.
    private static let large = 128 << 10
    /// Of one that has just begun, and may be a trickle.
    private static let first = 16 << 10
    private static let least = 4 << 10

    private let budget: Int
    private var spare: [ByteBuffer] = []
    /// Bytes of the pieces that bodies have, those being written included.
    private var taken = 0

    /// `budget` in bytes, more or less: every body may have one piece of the least size waiting.
    init(budget: Int) { self.budget = budget }

    /// Bytes that one body may have waiting before reading from its socket pauses.
    var limit: Int { taken < budget ? 1 << 20 : size }

    private var size: Int { taken < budget ? Self.large : taken < 2 * budget ? 2 * Self.first : Self.least }

    /// An empty piece for a body of which so many bytes have come.
    func take(after received: Int) -> ByteBuffer {
        let size = received < 4 * Self.first ? min(size, Self.first) : size
        var piece: ByteBuffer
        if size == Self.large, let known = spare.popLast() {
            piece = known
        } else {
            piece = ByteBufferAllocator().buffer(capacity: size)
        }
        taken += piece.storageCapacity
        return piece
    }

    /// Empties `lent`.
    func giveBack(_ lent: inout [ByteBuffer]) {
        while var piece = lent.popLast() {
            taken -= piece.storageCapacity
            guard piece.storageCapacity == Self.large, spare.count < 16 else { continue }
            piece.clear()
            spare.append(piece)
        }
    }
}
