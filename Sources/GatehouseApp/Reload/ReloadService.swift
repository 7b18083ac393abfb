import GateCore
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again on `SIGHUP`.
struct ReloadService: Service {
    let signals: UnixSignalsSequence
    let reload: ConfigurationReload
    let terminal: ControllingTerminal
    let log: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                // Returning stops the server in good order: whoever closes the window does not mean to leave it behind.
                guard !terminal.isGone else {
                    log.notice("The terminal was closed")
                    return
                }
                _ = await reload.reload()
            }
        }
    }
}

/// The terminal that a process was started from. `SIGHUP` means that it is gone, where there was one, and is a request otherwise.
struct ControllingTerminal: Sendable {
    private let wasThere = Self.isThere

    var isGone: Bool { wasThere && !Self.isThere }

    private static var isThere: Bool {
        let descriptor = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
    }
}
