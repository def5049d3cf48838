import Glibc

/// Functions of one or several numbers.
enum Statistics {
    /// The value below which `share` of `sorted` lie, between neighbours in a straight line; 0 when empty.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.last else { return 0 }
        let place = min(max(share, 0), 1) * Double(sorted.count - 1)
        let low = Int(place)
        guard low + 1 < sorted.count else { return last }
        return sorted[low] + (sorted[low + 1] - sorted[low]) * (place - Double(low))
    }

    /// The value below which a standard normal lies with chance `share`: by bisection of the error function, for a few calls.
    static func normalQuantile(_ share: Double) -> Double {
        var (low, high) = (-9.0, 9.0)
        for _ in 0..<80 {
            let middle = (low + high) / 2
            if erfc(-middle / 2.0.squareRoot()) / 2 < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The same for Student's t with `freedom` degrees of freedom, at least 1 (Hill, CACM algorithm 396): for `share` above 1/2.
    static func studentQuantile(_ share: Double, _ freedom: Double) -> Double {
        let (n, both) = (max(freedom, 1), 2 * (1 - share))
        if n < 1.5 { return 1 / tan(both * .pi / 2) }
        if n < 2.5 { return (2 / (both * (2 - both)) - 2).squareRoot() }
        let a = 1 / (n - 0.5)
        let b = 48 / (a * a)
        let c = ((20_700 * a / b - 98) * a - 16) * a + 96.36
        let d = ((94.5 / (b + c) - 3) / b + 1) * (a * .pi / 2).squareRoot() * n
        let y = pow(d * both, 2 / n)
        guard y > 0.05 + a else {
            let tail = (1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1
            return (n * (tail * (n + 1) / (n + 2) + 1 / y)).squareRoot()
        }
        let x = normalQuantile(both / 2)
        let square = x * x
        let shifted = n < 5 ? c + 0.3 * (n - 4.5) * (x + 0.6) : c
        let scale = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + shifted
        let inner = ((((0.4 * square + 6.3) * square + 36) * square + 94.5) / scale - square - 3) / b + 1
        return (n * expm1(a * inner * x * inner * x)).squareRoot()
    }
}
