import GateCore
package import Logging

/// swift-log's way to a ``LogOutput``.
package struct LineLogHandler: LogHandler {
    /// That of the output, until another one is set: it can change while the server runs.
    package var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let output: LogOutput
    private var ownLevel: Logger.Level?

    package init(output: LogOutput) { self.output = output }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = "\(error)" }
        let line = LogLine(time: output.time.now(), level: event.level, message: event.message.description, fields: fields)
        output.append(output.style.line(line), event.level)
    }
}
