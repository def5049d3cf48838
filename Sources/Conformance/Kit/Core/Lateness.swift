import Foundation
import Vocabulary

/// How late a registry's lists show what was pushed. No sentence says when they have to: a run learns it once, and
/// from then on a list is asked for only when it must show everything that its check did before.
struct Lateness {
    /// How long a push is waited for: lists that come later than this are judged as they are.
    private static let patience = Duration.seconds(3)
    private let probe: Probe

    /// `probe` has a repository of its own, in which this pushes.
    init(_ probe: Probe) {
        self.probe = probe
    }

    /// How long to wait between a write and a list; zero where lists are up to date at once, or never.
    func measured() throws -> Duration {
        let late = try max(ofTags(), ofReferrers())
        return late == .zero ? .zero : late * 2 + .milliseconds(100)
    }

    private func ofTags() throws -> Duration {
        try delay {
            let image = try probe.newTaggedImage("early")
            _ = try shows { try probe.tags().isEmpty }  // What keeps its answers keeps this one.
            try probe.push(image, as: "later")
            return { try probe.tags().contains("later") }
        }
    }

    private func ofReferrers() throws -> Duration {
        try delay {
            let image = try probe.newTaggedImage("subject")
            guard try probe.get(probe.referrersPlace(image.digest)).status != 404 else { return { true } }
            let referrer = try probe.newReferrer(to: image.descriptor())
            try probe.push(referrer)
            return {
                try probe.referrers(of: image.digest).contains { $0["digest"]?.string == referrer.digest }
            }
        }
    }

    /// How long it takes until what `push` gives holds; zero when it does at the first look, or not at all.
    private func delay(_ push: () throws -> () throws -> Bool) throws -> Duration {
        let isShown: () throws -> Bool
        do {
            isShown = try push()
        } catch let stop as Interrupted {
            throw stop
        } catch {
            return .zero  // What is wrong with a push is for the checks to find.
        }
        let start = ContinuousClock.now
        if try shows(isShown) { return .zero }
        // A hanging registry is given up after one request.
        if ContinuousClock.now - start > Self.patience { return .zero }
        while ContinuousClock.now - start < Self.patience {
            Thread.sleep(forTimeInterval: 0.02)
            if try shows(isShown) { return ContinuousClock.now - start }
        }
        return .zero
    }

    /// Whether a list holds what it should; one that is no list, or not there yet, does not.
    private func shows(_ look: () throws -> Bool) throws -> Bool {
        do {
            return try look()
        } catch let stop as Interrupted {
            throw stop
        } catch {
            return false
        }
    }
}

extension Probe {
    /// Before a list of a registry whose lists come late: waits until it must show what this check wrote.
    func waitForList(_ outgoing: Outgoing) throws {
        let late = run.lateness
        guard late > .zero, outgoing.method == "GET" || outgoing.method == "HEAD", let last = ledger.lastWrite,
            let path = Address(outgoing.url)?.target.prefix(while: { $0 != "?" }),
            path.hasSuffix("/tags/list") || path.hasSuffix("/_catalog") || path.contains("/referrers/")
        else { return }
        while ContinuousClock.now < last + late {
            if run.isInterrupted { throw Interrupted() }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}
