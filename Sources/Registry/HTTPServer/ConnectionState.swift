import NIOCore

/// What a connection does next. A pure value without socket, clock or handler: `Connection` tells it what happens and
/// does what it says. One request at a time is answered, in order, and whatever it waits for has a deadline.
package struct ConnectionState: Sendable {
    /// The deadlines.
    private let timeouts: ServerSettings.Timeouts
    private var phase = Phase.head(isDue: true)
    /// Since when it waits for what the phase waits for.
    private var since: NIODeadline
    private var isStopping = false
    /// What the peer had taken at `since`.
    private var taken: UInt64 = 0

    private enum Phase {
        /// A request's head is awaited. The first is due, and one that has begun; another may never come.
        case head(isDue: Bool)
        /// The handler is at work.
        case handling(Exchange)
        /// The answer is there, but the client is still sending, and may not look before it is done.
        case draining(Exchange, left: Int64)
        /// The answer is on its way.
        case sending(Exchange)
        /// Everything is sent; what still comes is thrown away.
        case lingering
        /// The last of what was written is on its way.
        case closing
        case closed
    }

    /// A request that is being answered.
    private struct Exchange {
        enum Body {
            /// The client waits to be asked (RFC 9110 section 10.1.1).
            case held
            /// `buffered`: bytes that the handler has not taken; `progress`: those since the clock was last set back.
            case arriving(buffered: Int, progress: Int)
            case complete
            case failed
        }

        var body: Body
        var keepsAlive: Bool
        let isHead: Bool

        init(_ framing: Framing) {
            body = !framing.hasBody ? .complete : framing.expectsContinue ? .held : .arriving(buffered: 0, progress: 0)
            keepsAlive = framing.keepsAlive
            isHead = framing.isHead
        }

        /// That of what is no request.
        init() {
            (body, keepsAlive, isHead) = (.failed, false, false)
        }
    }

    /// A connection that was just accepted.
    package init(_ timeouts: ServerSettings.Timeouts, at now: NIODeadline) {
        self.timeouts = timeouts
        since = now
    }

    // MARK: What may be asked at any time

    /// Whether the next part of what has come may be looked at. `isWritable`: the peer takes what is sent to it; who asks
    /// again and again without reading the answers gets no more of them.
    package func takesMore(isWritable: Bool) -> Bool {
        switch phase {
        case .head: isWritable
        case .handling(let exchange), .sending(let exchange):
            switch exchange.body {
            case .held, .arriving: true
            case .complete, .failed: false
            }
        case .draining, .lingering: true
        case .closing, .closed: false
        }
    }

    /// Bytes of the body that the handler has not taken.
    package var buffered: Int {
        guard case .handling(let exchange) = phase, case .arriving(let buffered, _) = exchange.body else { return 0 }
        return buffered
    }

    /// Whether the answer goes without its body.
    package var answersHead: Bool {
        switch phase {
        case .handling(let exchange), .draining(let exchange, _), .sending(let exchange): exchange.isHead
        case .head, .lingering, .closing, .closed: false
        }
    }

    /// Whether an answer is on its way, so that what the peer takes of it is worth looking at.
    package var isSending: Bool {
        switch phase {
        case .sending, .closing: true
        case .head, .handling, .draining, .lingering, .closed: false
        }
    }

    /// When `tick` does something if nothing happens before; nil where only the handler is waited for, whose waits have
    /// deadlines of their own.
    package var deadline: NIODeadline? {
        switch phase {
        case .head(let isDue): since + (isDue ? timeouts.head : timeouts.idle)
        case .handling(let exchange):
            switch exchange.body {
            case .held, .arriving: since + timeouts.body
            case .complete, .failed: nil
            }
        case .draining: since + timeouts.body
        case .sending, .closing: since + timeouts.send
        case .lingering: since + timeouts.linger
        case .closed: nil
        }
    }
}

extension ConnectionState {
    // MARK: What happens

    /// Takes notice of what happened at `now`; gives what is to be done about it.
    package mutating func handle(_ event: Event, at now: NIODeadline) -> Action {
        switch event {
        case .headBegan: return headBegan(now)
        case .head(let framing): return begin(framing, now)
        case .part(let count): return receive(count, now)
        case .bodyEnded: return bodyEnded(now)
        case .malformed: return malformed(now)
        case .bodyWanted: return bodyWanted(now)
        case .bodyTaken: return bodyTaken(now)
        case .answered(let closes): return answered(closes, now)
        case .sent: return sent(now)
        case .inputEnded: return inputEnded(now)
        case .gone: return gone(now)
        case .stopping: return stop(now)
        case .tick(let taken, let bodyIsLate): return tick(taken, bodyIsLate, now)
        }
    }

    private mutating func enter(_ phase: Phase, _ now: NIODeadline) {
        self.phase = phase
        since = now
    }

    private mutating func headBegan(_ now: NIODeadline) -> Action {
        if case .head(isDue: false) = phase { enter(.head(isDue: true), now) }
        return .none
    }

    private mutating func begin(_ framing: Framing, _ now: NIODeadline) -> Action {
        guard case .head = phase else { return .none }
        enter(.handling(Exchange(framing)), now)
        return .handle
    }

    private mutating func receive(_ count: Int, _ now: NIODeadline) -> Action {
        switch phase {
        case .handling(var exchange):
            switch exchange.body {
            // Who was not asked may send all the same.
            case .held: exchange.body = .arriving(buffered: count, progress: count)
            case .arriving(let buffered, let progress):
                let isProgress = progress + count >= timeouts.progress
                if isProgress { since = now }
                exchange.body = .arriving(buffered: buffered + count, progress: isProgress ? 0 : progress + count)
            case .complete, .failed: return .none
            }
            phase = .handling(exchange)
            return .deliver
        case .draining(let exchange, let left):
            phase = .draining(exchange, left: left - Int64(count))
            return left < Int64(count) ? send(exchange, closes: true, now) : .none
        case .head, .sending, .lingering, .closing, .closed: return .none
        }
    }

    private mutating func bodyEnded(_ now: NIODeadline) -> Action {
        switch phase {
        case .handling(var exchange):
            switch exchange.body {
            case .held, .arriving: exchange.body = .complete
            case .complete, .failed: return .none
            }
            phase = .handling(exchange)
            return .deliver
        case .draining(var exchange, _):
            exchange.body = .complete
            return send(exchange, closes: false, now)
        case .sending(var exchange):
            exchange.body = .complete
            phase = .sending(exchange)
            return .none
        case .lingering: return close(now)
        case .head, .closing, .closed: return .none
        }
    }

    private mutating func malformed(_ now: NIODeadline) -> Action {
        switch phase {
        case .head:
            enter(.sending(Exchange()), now)
            return .refuse(.malformed)
        case .handling(var exchange):
            // Of what follows nothing can be understood.
            exchange.keepsAlive = false
            phase = .handling(exchange)
            return failBody(.malformed)
        case .draining(let exchange, _): return send(exchange, closes: true, now)
        case .sending(var exchange):
            (exchange.body, exchange.keepsAlive) = (.failed, false)
            phase = .sending(exchange)
            return .none
        case .lingering, .closing, .closed: return .none
        }
    }

    private mutating func bodyWanted(_ now: NIODeadline) -> Action {
        guard case .handling(var exchange) = phase, case .held = exchange.body else { return .none }
        exchange.body = .arriving(buffered: 0, progress: 0)
        enter(.handling(exchange), now)
        return .askForBody
    }

    private mutating func bodyTaken(_ now: NIODeadline) -> Action {
        guard case .handling(var exchange) = phase, case .arriving(_, let progress) = exchange.body else {
            return .none
        }
        exchange.body = .arriving(buffered: 0, progress: progress)
        phase = .handling(exchange)
        return .none
    }

    private mutating func answered(_ closes: Bool, _ now: NIODeadline) -> Action {
        guard case .handling(let exchange) = phase else { return .none }
        switch exchange.body {
        case .complete: return send(exchange, closes: closes, now)
        case .held, .failed: return send(exchange, closes: true, now)
        case .arriving:
            enter(.draining(exchange, left: timeouts.discard), now)
            // One that closes is no worse for a client that is still sending: it reads the answer or it does not.
            return .proceed
        }
    }

    private mutating func send(_ exchange: Exchange, closes: Bool, _ now: NIODeadline) -> Action {
        var exchange = exchange
        exchange.keepsAlive = exchange.keepsAlive && !closes && !isStopping
        enter(.sending(exchange), now)
        return .send(keepsAlive: exchange.keepsAlive)
    }

    private mutating func sent(_ now: NIODeadline) -> Action {
        guard case .sending(let exchange) = phase else { return .none }
        guard !exchange.keepsAlive || isStopping else {
            enter(.head(isDue: false), now)
            return .proceed
        }
        if case .complete = exchange.body { return close(now) }
        enter(.lingering, now)
        return .closeOutput
    }

    private mutating func inputEnded(_ now: NIODeadline) -> Action {
        switch phase {
        case .head, .lingering: return close(now)
        case .handling: return failBody(.cut)
        case .draining(let exchange, _): return send(exchange, closes: true, now)
        case .sending(var exchange):
            guard case .complete = exchange.body else {
                (exchange.body, exchange.keepsAlive) = (.failed, false)
                phase = .sending(exchange)
                return .none
            }
            return .none
        case .closing, .closed: return .none
        }
    }

    private mutating func gone(_ now: NIODeadline) -> Action {
        defer { enter(.closed, now) }
        return failBody(.cut)
    }

    /// Of a body that is still to come, the handler is told that it does not.
    private mutating func failBody(_ failure: BodyFailure) -> Action {
        guard case .handling(var exchange) = phase else { return .none }
        switch exchange.body {
        case .held, .arriving:
            exchange.body = .failed
            phase = .handling(exchange)
            return .failBody(failure)
        case .complete, .failed: return .none
        }
    }

    private mutating func stop(_ now: NIODeadline) -> Action {
        isStopping = true
        guard case .head = phase else { return .none }
        return close(now)
    }

    private mutating func close(_ now: NIODeadline) -> Action {
        enter(.closing, now)
        return .closeWhenSent
    }

    private mutating func tick(_ taken: UInt64?, _ bodyIsLate: Bool, _ now: NIODeadline) -> Action {
        if bodyIsLate, case .handling = phase { return failBody(.late) }
        switch phase {
        case .sending, .closing: noteTaken(taken, now)
        case .handling(let exchange):
            // The handler is behind, not the client.
            if case .arriving(let buffered, _) = exchange.body, buffered > 0 { since = now }
        case .head, .draining, .lingering, .closed: break
        }
        guard let deadline, deadline < now else { return .none }
        switch phase {
        case .head(isDue: true):
            enter(.sending(Exchange()), now)
            return .refuse(.late)
        case .head(isDue: false): return close(now)
        case .handling: return failBody(.late)
        case .draining(let exchange, _): return send(exchange, closes: true, now)
        case .sending, .lingering, .closing:
            enter(.closed, now)
            return .abort
        case .closed: return .none
        }
    }

    /// Sets the clock back when the peer took enough of the answer since, or when nobody can tell.
    private mutating func noteTaken(_ taken: UInt64?, _ now: NIODeadline) {
        guard let taken else {
            since = now
            return
        }
        // A reading that runs backwards is as good as none.
        guard taken < self.taken || taken - self.taken >= UInt64(timeouts.sendProgress) else { return }
        (self.taken, since) = (taken, now)
    }
}
