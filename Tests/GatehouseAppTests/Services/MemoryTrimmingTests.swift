import Testing

@testable import GatehouseApp

@Suite("Giving memory back")
struct MemoryTrimmingTests {
    @Test("once after a burst, and again only after the next")
    func bursts() {
        let mebibyte = 1 << 20
        var trimming = MemoryTrimming()
        #expect(!trimming.isDue(resident: 25 * mebibyte, free: { mebibyte }), "Nothing much is free after the start.")
        #expect(trimming.isDue(resident: 60 * mebibyte, free: { 30 * mebibyte }))
        trimming.trimmed(resident: 32 * mebibyte)
        #expect(!trimming.isDue(resident: 33 * mebibyte, free: { 30 * mebibyte }), "What was given back is still told as free.")
        #expect(!trimming.isDue(resident: 80 * mebibyte, free: { 2 * mebibyte }), "What is in use cannot be given back.")
        #expect(trimming.isDue(resident: 50 * mebibyte, free: { 31 * mebibyte }))
    }
}
