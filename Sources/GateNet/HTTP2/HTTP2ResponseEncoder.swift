import GateHTTP
import Glibc
import NIOHPACK
import NIOHTTP1

/// Makes the field sections of a connection's responses, one after the other.
struct HTTP2ResponseEncoder {
    /// What a response began with, for the next one: most of an application's begin with the same status and the same lines.
    private struct Beginning {
        /// The most octets of lines that are kept.
        static let longest = 1024

        let status: HTTPResponseStatus
        let lines: [UInt8]
        /// So many octets of the lines are in `head`.
        let count: Int
        let head: HTTP2ResponseHead

        /// Whether `others` begin with the lines of `head`.
        func begins(_ others: [UInt8]) -> Bool {
            count > 0 && others.count >= count
                && lines.withUnsafeBytes { lines in
                    others.withUnsafeBytes { others in memcmp(lines.baseAddress!, others.baseAddress!, count) == 0 }
                }
        }

        /// How many octets of whole lines `others` begin with that are here too.
        func common(with others: [UInt8]) -> Int {
            var place = 0
            var end = 0
            while place < min(lines.count, others.count), lines[place] == others[place] {
                place += 1
                if lines[place - 1] == Octet.lf { end = place }
            }
            return end
        }
    }

    private var index = HTTP2FieldIndex()
    private var last: Beginning?

    /// `nil` where a field holds what must not be in one, or where they are too many.
    mutating func encode(_ response: Response, length: Int?, id: RequestID, date: String) -> HPACKHeaders? {
        let fields = response.encodedFields
        guard let (beginning, count) = response.headers.isEmpty ? again(response) : begin(response).map({ ($0, 0) }) else { return nil }
        var head = beginning
        head.reserveCapacity(head.section.count + 12)
        guard head.add(fields.first[count...], &index), head.add(fields.second[...], &index), head.add(fields.rest[...], &index),
            head.isWithinLimit
        else { return nil }
        head.finish(length: length, id: id, date: date, &index)
        return head.section
    }

    /// - Returns: A section with the beginning of the response, and how many octets of its lines are in it.
    private mutating func again(_ response: Response) -> (HTTP2ResponseHead, Int)? {
        let lines = response.encodedFields.first
        guard lines.count <= Beginning.longest else { return begin(response).map { ($0, 0) } }
        var common = 0
        if let last, last.status == response.status {
            if last.begins(lines) { return (last.head, last.count) }
            common = last.common(with: lines)
        }
        guard var head = begin(response), head.add(lines[..<common], &index) else { return nil }
        last = Beginning(status: response.status, lines: lines, count: common, head: head)
        return (head, common)
    }

    private mutating func begin(_ response: Response) -> HTTP2ResponseHead? {
        // RFC 8441 §5.1: a tunnel is agreed to with 200, and the key that is answered here was never sent.
        let isTunnel = if case .tunnel = response.body { true } else { false }
        var head = HTTP2ResponseHead(status: isTunnel || response.status == .ok ? "200" : String(response.status.code))
        for (name, value) in response.headers where !isTunnel || !Octet.equalIgnoringCase(name.utf8, "sec-websocket-accept") {
            guard head.add(name, value, &index) else { return nil }
        }
        return head
    }
}
