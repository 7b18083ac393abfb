import GateCore

/// Prometheus's text format 0.0.4.
enum PrometheusText {
    static func write(_ family: MetricsRegistry.Family, to text: inout String) {
        text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
        for reading in family.current?() ?? [] { sample(family.name, reading.labels, number(reading.value), to: &text) }
        for series in family.series {
            switch series.sample {
            case .count(let counter): sample(family.name, series.labels, "\(counter.value)", to: &text)
            case .value(let read):
                // What cannot be had has no sample: zero would be a lie.
                if let value = read() { sample(family.name, series.labels, number(value), to: &text) }
            case .distribution(let histogram):
                var total: UInt64 = 0
                for (count, bound) in zip(histogram.counts, histogram.buckets.map { number($0 / .seconds(1)) } + ["+Inf"]) {
                    total += count
                    sample(family.name + "_bucket", series.labels + [(name: "le", value: bound)], "\(total)", to: &text)
                }
                sample(family.name + "_sum", series.labels, number(Double(histogram.sum) / 1e9), to: &text)
                sample(family.name + "_count", series.labels, "\(total)", to: &text)
            }
        }
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    static func isName(_ text: String) -> Bool { isLabelName(String(text.map { $0 == ":" ? "_" : $0 })) }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    static func isLabelName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: String, to text: inout String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
