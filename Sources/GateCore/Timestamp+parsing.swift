extension Timestamp {
    /// Reads RFC 3339 (§5.6) with `Z` or an offset; digits beyond the milliseconds are cut. `nil` for everything else, such as a day
    /// that the month does not have.
    package init?(rfc3339 text: some StringProtocol) {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), scanner.skip("T") || scanner.skip("t") || scanner.skip(" "), let hour = scanner.number(2),
            scanner.skip(":"), let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2)
        else { return nil }
        var milliseconds: Int64 = 0
        if scanner.skip(".") {
            guard let fraction = scanner.fraction() else { return nil }
            milliseconds = fraction
        }
        var offset = 0  // minutes
        if !scanner.skip("Z"), !scanner.skip("z") {
            let isBehind = scanner.skip("-")
            guard isBehind || scanner.skip("+"), let hours = scanner.number(2), scanner.skip(":"), let minutes = scanner.number(2),
                hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (isBehind ? -1 : 1)
        }
        guard scanner.isAtEnd, let whole = Self.utc(year, month, day, hour, minute, second) else { return nil }
        self.init(milliseconds: whole.milliseconds + milliseconds - Int64(offset) * 60_000)
    }

    /// Reads HTTP's date (RFC 9110 §5.6.7) in the form that must be sent, `Fri, 20 Nov 2026 09:30:00 GMT`; the obsolete forms are
    /// `nil`. The day of the week is not checked.
    package init?(httpDate text: some StringProtocol) {
        guard let comma = text.firstIndex(of: ",") else { return nil }
        let parts = text[text.index(after: comma)...].split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 5, parts[4] == "GMT",
            let month = Self.months.firstIndex(where: { $0 == parts[1] }), let day = DigitScanner.whole(parts[0], 2),
            let year = DigitScanner.whole(parts[2], 4)
        else { return nil }
        var time = DigitScanner(parts[3])
        guard let hour = time.number(2), time.skip(":"), let minute = time.number(2), time.skip(":"), let second = time.number(2),
            time.isAtEnd, let moment = Self.utc(year, month + 1, day, hour, minute, second)
        else { return nil }
        self = moment
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// A leap second (`:60`) is the second after it.
    private static func utc(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int) -> Timestamp? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), day >= 1, day <= lengths[month - 1], hour < 24, minute < 60, second <= 60 else { return nil }
        // Howard Hinnant's `days_from_civil`, for years from 0 on.
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return Timestamp(seconds: Int64(days * 86_400 + hour * 3600 + minute * 60 + second))
    }
}

/// Reads runs of a fixed number of digits.
private struct DigitScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: some StringProtocol) { rest = Array(text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    static func whole(_ text: some StringProtocol, _ count: Int) -> Int? {
        var scanner = DigitScanner(text)
        guard let number = scanner.number(count), scanner.isAtEnd else { return nil }
        return number
    }

    mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    mutating func skip(_ character: UnicodeScalar) -> Bool {
        guard let next = rest.first, UInt32(next) == character.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Milliseconds from one or more digits behind the point.
    mutating func fraction() -> Int64? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        return [100, 10, 1].enumerated().reduce(0) { sum, place in
            place.offset < digits.count ? sum + Int64(digits[digits.startIndex + place.offset] - 0x30) * place.element : sum
        }
    }
}
