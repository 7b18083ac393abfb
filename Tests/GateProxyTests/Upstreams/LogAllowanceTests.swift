import GateCore
import Testing

@testable import GateProxy

@Suite struct LogAllowanceTests {
    private func at(_ milliseconds: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: 5_000_000_000 + milliseconds * 1_000_000) }

    @Test func `so many lines a second are said, and the first of the next tells how many were not`() {
        let allowance = LogAllowance(perSecond: 2)
        #expect([0, 1, 2, 999].map { allowance.take(at: at($0)) } == [0, 0, nil, nil])
        #expect([1000, 1001, 1002].map { allowance.take(at: at($0)) } == [2, 0, nil])
        #expect(allowance.take(at: at(60_000)) == 1)
    }

    @Test func `a clock that stands still withholds, and does not trap`() {
        let allowance = LogAllowance(perSecond: 1)
        #expect(allowance.take(at: at(10)) == 0)
        #expect(allowance.take(at: at(0)) == nil)
    }
}
