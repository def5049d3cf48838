/// What a connection is told, and what it says to that.
extension ConnectionState {
    /// How a request is framed: all of it that matters here.
    package struct Framing: Sendable {
        package var isHead = false
        package var keepsAlive = true
        package var hasBody = false
        package var expectsContinue = false

        /// A request without a body, on a connection that goes on.
        package init() {}
    }

    /// What can happen to a connection.
    package enum Event: Sendable {
        /// Some of a request's head has come.
        case headBegan
        /// A request's head was read.
        case head(Framing)
        /// So many bytes of a body were read.
        case part(Int)
        /// The body's last byte was read.
        case bodyEnded
        /// What was read is no request.
        case malformed
        /// The handler waits for the body.
        case bodyWanted
        /// The handler has taken all of the body that was there.
        case bodyTaken
        /// The handler has its answer, which may want the connection to end.
        case answered(closes: Bool)
        /// The answer's last byte was handed over.
        case sent
        /// Nothing more will come, and what came was looked at.
        case inputEnded
        /// The connection is gone.
        case gone
        /// The server stops.
        case stopping
        /// Time has passed. `taken`: bytes that the peer has taken in all, nil when that can't be told; `bodyIsLate`: the
        /// handler will not wait longer for the body.
        case tick(taken: UInt64?, bodyIsLate: Bool)
    }

    /// Why a body does not come.
    package enum BodyFailure: Sendable, Equatable {
        case cut, late, malformed
    }

    /// What is to be done about it.
    package enum Action: Sendable, Equatable {
        case none
        /// Give the request to its handler; one that has no body may be answered at once.
        case handle
        /// Give the part, or the end, to the handler.
        case deliver
        /// Send 100 Continue.
        case askForBody
        /// Tell the handler that the body does not come.
        case failBody(BodyFailure)
        /// Send the answer that the handler gave.
        case send(keepsAlive: Bool)
        /// Answer for the handler, as there can be no request.
        case refuse(BodyFailure)
        /// Look for the next request.
        case proceed
        /// Say that no more will be answered, but read on.
        case closeOutput
        /// Close once what was written is sent.
        case closeWhenSent
        /// Close now.
        case abort
    }
}
