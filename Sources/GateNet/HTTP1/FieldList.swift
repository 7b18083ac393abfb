import GateHTTP

/// Lists in header fields (RFC 9110 §5.6.1).
enum FieldList {
    /// Without the white space around it (OWS).
    static func trimmed(_ octets: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var rest = octets[...]
        while let first = rest.first, first == Octet.space || first == Octet.tab { rest.removeFirst() }
        while let last = rest.last, last == Octet.space || last == Octet.tab { rest.removeLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }
}
