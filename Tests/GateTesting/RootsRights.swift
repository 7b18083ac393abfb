import Glibc
import Testing

/// Runs `body` with the rights on files that any user has, also where the tests run as root: root reads everything.
///
/// By `setfsuid(2)`, which is this thread's alone.
package func withoutRootsRights<Value>(_ body: () throws -> Value) throws -> Value {
    guard geteuid() == 0 else { return try body() }
    typealias SetUser = @convention(c) (UInt32) -> Int32
    // The C library has it, and its module map does not.
    let symbol = try #require(dlsym(dlopen(nil, RTLD_NOW), "setfsuid"))
    let setUser = unsafeBitCast(symbol, to: SetUser.self)
    let nobody: UInt32 = 65_534
    _ = setUser(nobody)
    defer { _ = setUser(0) }
    return try body()
}
