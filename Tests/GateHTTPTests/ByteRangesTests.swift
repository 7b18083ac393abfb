import GateHTTP
import Testing

@Suite("Byte ranges")
struct ByteRangesTests {
    @Test(
        "Ranges are read and cut to the content",
        arguments: [
            ("bytes=0-0", [0..<1]), ("bytes=0-9", [0..<10]), ("bytes=5-", [5..<10]), ("bytes=-3", [7..<10]), ("bytes=-30", [0..<10]),
            ("bytes=3-99", [3..<10]), ("bytes=10-", []), ("bytes=-0", []), ("BYTES=1-2", [1..<3]), ("bytes=0-1,4-5", [0..<2, 4..<6]),
            ("bytes=4-5, 0-1", [4..<6, 0..<2]), ("bytes= 0-1 ,\t-1", [0..<2, 9..<10]), ("bytes=,0-1,,", [0..<2]),
            ("bytes=0-1,20-30", [0..<2]),
            ("bytes=0-99999999999999999999999999", [0..<10]), ("bytes=99999999999999999999999999-", []),
            ("bytes=-99999999999999999999999999", [0..<10]), ("bytes=9223372036854775807-9223372036854775807", []),
        ])
    func resolved(_ field: String, _ expected: [Range<Int>]) {
        #expect(ByteRanges(field)?.resolved(in: 10) == expected)
    }

    @Test(
        "What is no list of byte ranges is ignored",
        arguments: [
            "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-3", "bytes=1", "bytes=1-2-3", "bytes=--1", "bytes=0x1-2",
            "bytes=+1-2", "bytes=1-2;3-4", "items=0-1", "bytes:0-1", "byte=0-10", "bytes=0-1, x", "bytes =0-1",
        ])
    func ignored(_ field: String) { #expect(ByteRanges(field) == nil) }

    @Test("More ranges than anybody needs are ignored")
    func tooMany() {
        func field(_ count: Int) -> String { "bytes=" + (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",") }
        #expect(ByteRanges(field(ByteRanges.limit))?.specs.count == ByteRanges.limit)
        #expect(ByteRanges(field(ByteRanges.limit + 1)) == nil)
    }

    @Test("Empty content has no range")
    func empty() {
        for field in ["bytes=0-", "bytes=-1", "bytes=0-0"] { #expect(ByteRanges(field)?.resolved(in: 0) == []) }
    }
}
