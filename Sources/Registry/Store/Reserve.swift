/// Room that is kept for deletions: where a disk is full they need some before they give any.
package protocol Reserve: Sendable {
    /// Gives some of it up; false when none is left.
    func release() async -> Bool
    /// Takes it back, as far as there is room.
    func refill() async
}
