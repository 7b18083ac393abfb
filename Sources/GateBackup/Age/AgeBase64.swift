import GateCore

/// Base64 with the standard alphabet and without padding (RFC 4648 §4), as age's headers have it. One value has one spelling.
enum AgeBase64 {
    static func encode(_ bytes: [UInt8]) -> String {
        String(
            decoding: Base64URL.encoded(bytes).map { character in
                switch character {
                case UInt8(ascii: "-"): UInt8(ascii: "+")
                case UInt8(ascii: "_"): UInt8(ascii: "/")
                default: character
                }
            }, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var url: [UInt8] = []
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "+"): url.append(UInt8(ascii: "-"))
            case UInt8(ascii: "/"): url.append(UInt8(ascii: "_"))
            case UInt8(ascii: "-"), UInt8(ascii: "_"): return nil
            default: url.append(character)
            }
        }
        return Base64URL.decode(url)
    }
}
