import HTTP
import Metrics
import NIOCore

extension Connection {
    /// A request from its head to the last byte of its answer.
    struct Course {
        let request: Request
        let began: NIODeadline
        /// When there was an answer.
        private var answeredAt: NIODeadline?
        /// Where its time went, where it was not answered at once and somebody wants to know.
        var stages: RequestStages?
        private var status = 0
        private var sent = 0
        /// Bytes of its body.
        var received = 0

        init(_ request: Request, began: NIODeadline) {
            self.request = request
            self.began = began
        }

        /// There is an answer.
        mutating func answered(_ response: Response, _ received: Int, isHead: Bool) {
            status = response.status
            sent = isHead ? 0 : Int(response.body.length)
            self.received = received
            // Of what is answered at once, sending is all there is to know.
            answeredAt = stages == nil ? began : .now()
        }

        /// As it is counted when it is over.
        func exchange(at end: NIODeadline) -> RequestCounts.Exchange {
            var exchange = RequestCounts.Exchange()
            exchange.place = request.findings.place
            exchange.isHead = request.method == .head
            exchange.status = status
            exchange.time = (end - began).nanoseconds
            exchange.received = received
            exchange.sent = sent
            return exchange
        }

        /// Nanoseconds that the answer took to be taken.
        func sending(until end: NIODeadline) -> Int64 { answeredAt.map { (end - $0).nanoseconds } ?? 0 }
    }

    /// The answer's last byte was handed over.
    func sent() {
        let now = NIODeadline.now()
        close(isCut: false, at: now)
        tell(.sent, at: now)
    }

    /// Counts the request at hand, which is over.
    func close(isCut: Bool, at end: NIODeadline) {
        guard let course else { return }
        self.course = nil
        let exchange = course.exchange(at: end)
        if isCut { shared.counts.cutOff() } else { shared.counts.end(exchange) }
        guard shared.timesStages else { return }
        shared.access?.add(
            AccessLine.Entry(
                course.request, exchange, isCut: isCut, stages: course.stages, sending: course.sending(until: end)))
        let ofClient = course.sending(until: end) + (course.stages?[.body] ?? 0)
        if exchange.time - ofClient > shared.slow { tellSlow(course, exchange, end) }
    }

    private func tellSlow(_ course: Course, _ exchange: RequestCounts.Exchange, _ end: NIODeadline) {
        var stages = RequestStages.Stage.allCases.map { ("\($0.name)", course.stages?[$0] ?? 0) }
        stages.append(("send", course.sending(until: end)))
        let known = stages.reduce(0) { $0 + $1.1 }
        // Parsing, waiting for versions or for other nodes, and turns of the loop.
        stages.append(("other", max(0, exchange.time - known)))
        application.noteSlow(course.request, exchange.status, exchange.time, stages.map { (name: $0.0, time: $0.1) })
    }
}
