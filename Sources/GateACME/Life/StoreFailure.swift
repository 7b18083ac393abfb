import GateCore
import Glibc

/// A file or record that cannot be read, written or used. `description` is a sentence for the operator.
package struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let problem: String
    package let cure: String
    /// The turn was over: what was to be saved is the business of whoever has the next.
    package let isTakenOver: Bool

    package init(path: String, problem: String, cure: String, isTakenOver: Bool = false) {
        self.path = path
        self.problem = problem
        self.cure = cure
        self.isTakenOver = isTakenOver
    }

    package var description: String { "\(path) \(problem): \(cure)" }

    init(_ failure: AtomicFile.Failure) {
        self.init(path: failure.path, operation: failure.operation, code: failure.code)
    }

    init(path: String, operation: String, code: Int32) {
        self.path = path
        isTakenOver = false
        problem = "cannot be used (\(operation): \(String(cString: strerror(code))))"
        switch code {
        case ENOSPC, EDQUOT: cure = "make room on its disk"
        case EROFS: cure = "its disk is mounted read-only, perhaps after a fault: see dmesg"
        case EACCES, EPERM: cure = "let the user that runs gatehouse own the folder and everything in it"
        default: cure = "check the path and its disk"
        }
    }
}
