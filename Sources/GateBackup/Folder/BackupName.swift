package import GateCore

/// The name of a backup's file: `gatehouse-20261121T093000Z.tar.gz`, with `.age` behind it where it is encrypted.
package struct BackupName: Hashable, Sendable, CustomStringConvertible {
    /// Those of one series are rotated together.
    package enum Series: String, CaseIterable, Sendable {
        case regular = "gatehouse-"
        case beforeMigration = "before-migration-"
    }

    package var series: Series
    /// Whole seconds.
    package var time: Timestamp
    package var isEncrypted: Bool

    package init(_ series: Series, at time: Timestamp, isEncrypted: Bool) {
        self.series = series
        self.time = Timestamp(seconds: time.seconds)
        self.isEncrypted = isEncrypted
    }

    /// `nil` for what is no name of ours, however like one it looks.
    package init?(_ name: String) {
        guard let series = Series.allCases.first(where: { name.hasPrefix($0.rawValue) }) else { return nil }
        let rest = Array(name.utf8.dropFirst(series.rawValue.utf8.count))
        guard rest.count >= 16 else { return nil }
        let digits = rest[0..<8] + rest[9..<15]
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: rest[range], as: UTF8.self) }
        let text = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15)).000Z"
        guard let time = Timestamp(rfc3339: text) else { return nil }
        self.init(series, at: time, isEncrypted: name.hasSuffix(".age"))
        guard description == name else { return nil }
    }

    package var description: String {
        let stamp = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "\(series.rawValue)\(stamp)Z.tar.gz\(isEncrypted ? ".age" : "")"
    }
}
