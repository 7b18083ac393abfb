extension DoctorReport {
    /// For people: by what was looked at, aligned, with a summary at the end.
    package var text: String {
        var text = ""
        var group = ""
        let indent = "  " + String(repeating: " ", count: Self.statusWidth + checkWidth + 2)
        for finding in findings {
            if finding.about != group {
                group = finding.about
                text += (text.isEmpty ? "" : "\n") + group + "\n"
            }
            let lines = wrapped(finding.seen) + (finding.advice.map { wrapped($0, first: "→ ", rest: "  ") } ?? [])
            text +=
                "  " + padded(finding.status.rawValue, Self.statusWidth) + " " + padded(finding.check, checkWidth) + " " + lines[0] + "\n"
            for line in lines.dropFirst() { text += indent + line + "\n" }
        }
        return text + "\n" + summary + "\n"
    }

    private static let statusWidth = 7
    private static let lineWidth = 110
    private var checkWidth: Int { findings.map(\.check.count).max() ?? 0 }

    private var summary: String {
        func count(_ status: Finding.Status) -> Int { findings.count { $0.status == status } }
        let problems = count(.problem)
        let warnings = count(.warning)
        if problems + warnings == 0 { return "Nothing is wrong." }
        let parts = [
            problems == 0 ? nil : problems == 1 ? "1 problem" : "\(problems) problems",
            warnings == 0 ? nil : warnings == 1 ? "1 warning" : "\(warnings) warnings",
        ]
        return parts.compactMap { $0 }.joined(separator: ", ") + (problems == 0 ? "; nothing is broken." : ".")
    }

    private func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

    /// Broken at spaces; a word that is longer than a line stays whole.
    private func wrapped(_ text: String, first: String = "", rest: String = "") -> [String] {
        let width = Self.lineWidth - Self.statusWidth - checkWidth - 4
        var lines = [first]
        var isFresh = true
        for word in text.split(separator: " ") {
            if !isFresh, lines[lines.count - 1].count + 1 + word.count > width {
                lines.append(rest)
                isFresh = true
            }
            lines[lines.count - 1] += (isFresh ? "" : " ") + word
            isFresh = false
        }
        return lines
    }
}
