/// Where a value, or a mistake in one, was written.
package enum ConfigurationPlace: Hashable, Sendable, CustomStringConvertible {
    case `default`
    /// Line and column count from 1; columns in characters. Line 0: the file as a whole.
    case file(String, line: Int, column: Int)
    case environment(variable: String)
    case environmentFile(String, line: Int, variable: String)
    case credential(path: String)
    case flag(String)

    package var description: String {
        switch self {
        case .default: "default"
        case .file(let file, 0, _): file
        case .file(let file, let line, let column): "\(file):\(line):\(column)"
        case .environment(let variable): "environment variable \(variable)"
        case .environmentFile(let file, let line, let variable): "\(file):\(line): \(variable)"
        case .credential(let path): "credential \(path)"
        case .flag(let flag): flag
        }
    }
}

extension ConfigurationPlace {
    /// For messages whose own place names the file.
    var inItsFile: String {
        if case .file(_, let line, _) = self, line > 0 { "line \(line)" } else { description }
    }
}

/// One mistake: where, what, and what to do about it. Never holds a secret's value.
package struct ConfigurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let place: ConfigurationPlace
    package let problem: String
    package let cure: String

    package init(_ place: ConfigurationPlace, _ problem: String, cure: String) {
        self.place = place
        self.problem = problem
        self.cure = cure
    }

    package var description: String { "\(place): \(problem): \(cure)" }
}

/// Every mistake that was found, in the order of the sources. The process ends with `EX_CONFIG` (78, sysexits.h).
package struct ConfigurationFaults: Error, Sendable, CustomStringConvertible {
    package static let exitCode: Int32 = 78

    package let faults: [ConfigurationFault]

    package var description: String { faults.map { "\($0)\n" }.joined() }
}

/// A value that its key cannot take. Whoever throws it does not know the place; the text must not repeat the value of a secret.
struct InvalidValue: Error, Hashable {
    let problem: String
    let cure: String

    init(_ problem: String, cure: String) {
        self.problem = problem
        self.cure = cure
    }
}
