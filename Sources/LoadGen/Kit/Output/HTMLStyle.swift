/// The page's style sheet: readable on a phone, light and dark.
enum HTMLStyle {
    static let sheet = """
        :root{--bg:#fbfaf7;--fg:#23211d;--dim:#6f6a60;--line:#e2ddd2;--card:#fff;--c0:#1d6f66;--c1:#b3672b;--c2:#7a4fa3;\
        --c3:#c0392b;--c4:#8a8578;--ok:#1d6f66;--bad:#b3261e;--badbg:#fbe9e7;--carebg:#f6efdc;--shade:#0004}
        @media(prefers-color-scheme:dark){:root{--bg:#161512;--fg:#ece8df;--dim:#9d978a;--line:#34312b;--card:#1f1d19;\
        --c0:#5cc2b3;--c1:#e0a063;--c2:#b79be0;--c3:#ef8073;--c4:#8f897c;--ok:#5cc2b3;--bad:#ff9a8d;--badbg:#3a1d1a;\
        --carebg:#332c19;--shade:#fff4}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;\
        font-variant-numeric:tabular-nums}
        main{max-width:1180px;margin:0 auto;padding:24px 18px 60px}
        h1{font-size:26px;margin:0}h2{font-size:17px;margin:28px 0 8px}
        .sub{color:var(--dim);margin:4px 0 14px;overflow-wrap:anywhere}
        .bad{background:var(--badbg);color:var(--bad);padding:10px 14px;border-radius:8px;margin:10px 0}
        .bad ul{margin:4px 0 0;padding-left:20px}
        .care{background:var(--carebg);padding:8px 14px;border-radius:8px;margin:10px 0}
        .big{font-size:30px;font-weight:600;margin:4px 0 10px}.big small{font-size:15px;line-height:1.3;display:inline-block;font-weight:400;color:var(--dim)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:16px 0}
        .tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 14px}
        .tile span,.tile small{display:block;color:var(--dim);font-size:13px}.tile b{font-size:22px}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:14px}
        figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
        figcaption{font-weight:600}.unit{font-weight:400;color:var(--dim);font-size:13px}
        .legend{font-size:13px;color:var(--dim);min-height:20px}
        .key{margin-right:14px}.key:before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;\
        margin-right:5px;vertical-align:middle;background:var(--c0)}
        .k1:before{background:var(--c1)}.k2:before{background:var(--c2)}.k3:before{background:var(--c3)}
        .k4:before{background:var(--c4)}
        svg{display:block;width:100%;height:auto}svg text{font-size:13px;fill:var(--dim)}
        @media(max-width:700px){svg text{font-size:18px}svg .odd{display:none}h1{overflow-wrap:anywhere}}
        .grid{stroke:var(--line)}.tick{stroke:var(--dim)}
        polyline{fill:none;stroke-width:1.8;stroke-linejoin:round}
        .s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}
        .s4{stroke:var(--c4);stroke-dasharray:5 4}
        polygon{opacity:.15}.f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}
        .d0{fill:var(--c0)}.d1{fill:var(--c1)}.d2{fill:var(--c2)}.d3{fill:var(--c3)}.d4{fill:var(--c4)}
        .wide{overflow-x:auto;width:fit-content;max-width:100%;border:1px solid var(--line);border-radius:8px;\
        background:linear-gradient(to right,var(--card) 40%,transparent) left/44px 100% no-repeat local,\
        linear-gradient(to left,var(--card) 40%,transparent) right/44px 100% no-repeat local,\
        linear-gradient(to right,var(--shade),transparent) left/16px 100% no-repeat scroll,\
        linear-gradient(to left,var(--shade),transparent) right/16px 100% no-repeat scroll,var(--card)}.wide::-webkit-scrollbar{height:9px}\
        .wide::-webkit-scrollbar-thumb{background:var(--c4);border-radius:5px}\
        .wide::-webkit-scrollbar-track{background:var(--line);border-radius:5px}a{color:var(--c0)}.texts td:last-child,.texts th:last-child{text-align:left}\
        .texts td:last-child{white-space:normal;min-width:240px;font-size:13px}.texts td{padding-top:4px;padding-bottom:4px}\
        .texts{width:100%}.charts{align-items:start}
        hr{border:0;border-top:1px solid var(--line);margin:44px 0}
        table{border-collapse:collapse}
        th,td{padding:5px 12px;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}
        th{color:var(--dim);font-weight:500;border-top:0}th:first-child,td:first-child{text-align:left}
        tr.part td{color:var(--dim);border-top:0;padding-top:1px;padding-bottom:1px}tr.part td:first-child{padding-left:26px}
        tr.met td:nth-child(3){color:var(--ok)}
        tr.missed td:nth-child(3){color:var(--bad)}
        tr.unknown td:nth-child(3){color:var(--c1)}
        .texts td:first-child,.facts td{white-space:normal;overflow-wrap:anywhere}.facts td:first-child{min-width:120px}.texts td:first-child{min-width:110px}
        .bar{width:30%}.bar i{display:block;height:10px;border-radius:3px;background:var(--c3)}
        """
}

/// Dates without a calendar library.
package enum CivilTime {
    /// `2026-01-31 12:34:56 UTC` of seconds since 1970.
    package static func text(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 2.5e11 else { return "–" }
        let whole = Int(seconds)
        let (days, rest) = (whole / 86_400, whole % 86_400)
        // Days to a date in the proleptic Gregorian calendar, years counted from March.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
        return "\(year)-\(two(civilMonth))-\(two(day)) \(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) UTC"
    }

    /// The day alone, of whole seconds since 1970.
    package static func day(_ seconds: UInt64) -> String { String(text(Double(seconds)).prefix(10)) }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
