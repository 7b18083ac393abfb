package import GateCore

/// Why a command did not do what it was told, and the code it ends with.
package struct CommandFailure: Error, CustomStringConvertible {
    /// The codes that are used of sysexits(3head).
    package enum Code: Int32, Sendable {
        case failure = 1
        case usage = 64
        case unavailable = 69
        case cannotCreate = 73
        case permission = 77
        case configuration = 78
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: StorageError) {
        let code: Code =
            switch error {
            case .unavailable, .busy, .full, .closed, .inputOutput, .corrupt: .unavailable
            case .readOnly: .permission
            case .schema: .configuration
            case .uniqueViolation, .constraintViolation, .misuse: .failure
            }
        self.init(code, error.description)
    }

    package var description: String { message }
}
