package import GateCore
import Glibc
package import Logging

extension LogOutput {
    /// Standard output, in the form that fits it.
    package static func standard(_ log: Configuration.Log, time: any TimeSource = SystemTime()) -> LogOutput {
        LogOutput(descriptor: STDOUT_FILENO, style: LogStyle(log.format, descriptor: STDOUT_FILENO), time: time)
    }

    /// A logger whose lines go here.
    package func logger(_ log: Configuration.Log, label: String = "gatehouse") -> Logger {
        var logger = Logger(label: label) { _ in LineLogHandler(output: self) }
        logger.logLevel = log.level
        return logger
    }
}
