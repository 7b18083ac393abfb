import GateCore
package import GateHTTP
import Logging
import NIOHTTP1

/// One line for each exchange, whatever the log's level. The path stands in it without the query, which may hold tokens.
package struct AccessLog: ExchangeObserver {
    private let output: LogOutput

    /// In bytes; clients choose what stands in them.
    private static let longestPath = 1024
    private static let longestUserAgent = 256

    /// - Parameter output: says which exchanges have a line.
    package init(_ output: LogOutput) { self.output = output }

    package func finished(_ exchange: Exchange) {
        let isFailure = exchange.status.code >= 400 || exchange.isAborted
        switch output.accessLines {
        case .off: return
        case .errors where !isFailure: return
        case .all where !isFailure && Self.isProbe(exchange.request.target.path): return
        default: output.append(line(exchange), level(exchange))
        }
    }

    /// The health calls, which monitors ask every few seconds.
    private static func isProbe(_ path: Substring) -> Bool {
        let path = path.utf8
        return path.elementsEqual("/health".utf8) || path.elementsEqual("/api/health".utf8) || path.elementsEqual("/api/v1/health".utf8)
            || path.starts(with: "/api/v1/health/".utf8)
    }

    private func level(_ exchange: Exchange) -> Logger.Level { exchange.status.code >= 500 ? .error : .info }

    private func line(_ exchange: Exchange) -> [UInt8] {
        let microseconds = exchange.duration.wholeNanoseconds / 1000
        let level = level(exchange)
        guard output.style == .json else {
            var fields: Logger.Metadata = ["request_id": "\(exchange.request.id)", "bytes": "\(exchange.responseBytes)"]
            if let client = exchange.request.client { fields["client"] = "\(client)" }
            if exchange.isAborted { fields["aborted"] = "true" }
            let path = Self.cut(exchange.request.target.path, to: Self.longestPath)
            let milliseconds = Double(microseconds) / 1000
            return output.style.line(
                LogLine(
                    time: output.time.now(), level: level,
                    message: "\(exchange.request.method.rawValue) \(path) \(exchange.status.code) \(milliseconds) ms",
                    fields: fields))
        }
        var writer = JSONWriter(reserving: 384)
        writer.beginObject()
        writer.member("time", output.time.now())
        writer.member("level", level.rawValue)
        writer.member("message", "request")
        writer.member("request_id", exchange.request.id.description)
        writer.member("method", exchange.request.method.rawValue)
        writer.member("path", Self.cut(exchange.request.target.path, to: Self.longestPath))
        writer.member("status", Int64(exchange.status.code))
        writer.member("bytes", Int64(exchange.responseBytes))
        writer.name("duration_ms")
        writer.value(Double(microseconds) / 1000)
        writer.member("client", exchange.request.client?.description)
        if let userAgent = exchange.request.headers.first(name: "user-agent") {
            writer.member("user_agent", Self.cut(userAgent[...], to: Self.longestUserAgent))
        }
        if exchange.isAborted { writer.member("aborted", true) }
        writer.endObject()
        return writer.bytes
    }

    private static func cut(_ text: Substring, to length: Int) -> String {
        guard text.utf8.count > length else { return String(text) }
        return String(decoding: text.utf8.prefix(length), as: UTF8.self) + "…"
    }
}
