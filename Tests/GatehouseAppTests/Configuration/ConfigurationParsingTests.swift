import GateTesting
import Testing

@testable import GatehouseApp

@Suite("What configuration is parsed from")
struct ConfigurationParsingTests {
    static let environmentFiles: [(text: String, values: [String: String], faults: [String])] = [
        ("A=1\nB = 2 \r\nexport C=3\n", ["A": "1", "B": "2", "C": "3"], []),
        ("# note\n\n  # another\nA=x # trailing\nB=x#y\n", ["A": "x", "B": "x#y"], []),
        ("A='a $b \\n # c'\nB=\"a\\n\\\"q\\\" \\$ \\\\\" # note\n", ["A": "a $b \\n # c", "B": "a\n\"q\" $ \\"], []),
        ("A=\"two\nlines\"\nB=3", ["A": "two\nlines", "B": "3"], []),
        ("A=\nB=''\n", ["A": "", "B": ""], []),
        ("\u{FEFF}A=1", ["A": "1"], []),
        ("export=1\nexported=2", ["export": "1", "exported": "2"], []),
        ("A=1\rB=2\r", ["A": "1", "B": "2"], []),
        ("A=é=ü", ["A": "é=ü"], []),
        ("just words\nA=1", ["A": "1"], [".env:1:1: is no NAME=value line: write NAME=value, or begin the line with # if it is a comment"]),
        ("1A=2", [:], [".env:1: 1A: has no name that a variable can have: use letters, digits and _, and no digit in front"]),
        ("=2", [:], [".env:1:1: has no name that a variable can have: use letters, digits and _, and no digit in front"]),
        ("A=\"open\nB=2", [:], [".env:1: A: has a quote that is never closed: close it, or leave both quotes out"]),
        ("A='x' y\nB=2", ["B": "2"], [".env:1: A: has text after the closing quote: put all of the value inside the quotes"]),
        (
            "A=\"\\q\"\nB=2", ["B": "2"],
            [".env:1: A: has an unknown escape in double quotes: write \\\\ for a backslash, or use single quotes"]
        ),
        ("A=1\n\nA=2", ["A": "1"], [".env:3: A: is set twice: remove it here or on line 1"]),
        ("A=a\0b", [:], [".env:1: A: holds a NUL character: remove it"]),
    ]

    @Test(".env files", arguments: environmentFiles)
    func environmentFile(text: String, values: [String: String], faults: [String]) {
        let file = EnvironmentFile(text, file: ".env")
        #expect(Dictionary(file.entries.map { ($0.name, $0.value) }) { $1 } == values)
        #expect(file.faults.map(\.description) == faults)
    }

    @Test("Keys are found where they stand")
    func positions() {
        let text = """
            a = "x # ] = y" # note
              "b.c".d = '''
            not = a key
            '''
            [t . u]
            v = { w = 1, x.y = [ { z = 2 } ] }
            "é" = [
              1, # ] =
              "]",
            ]
            w = \"\"\"q\\\"\"\"\"\" # = \"\"\"
            [[list]]
            n = 2026-01-01 00:00:00
            [[list]]
            n = 2
            """
        let document = TOMLDocument(text)
        #expect(document.errors == [])
        var positions: [[String]: String] = [:]
        func visit(_ table: TOMLTable, _ parent: [String]) {
            for member in table.members {
                positions[parent + [member.name]] = "\(member.position.line):\(member.position.column)"
                switch member.value {
                case .table(let inner): visit(inner, parent + [member.name])
                case .tables(let list): visit(list[0], parent + [member.name])
                default: break
                }
            }
        }
        visit(document.root, [])
        #expect(
            positions == [
                ["a"]: "1:1", ["b.c"]: "2:3", ["b.c", "d"]: "2:9", ["t"]: "5:2", ["t", "u"]: "5:6", ["t", "u", "v"]: "6:1",
                ["t", "u", "v", "w"]: "6:7", ["t", "u", "v", "x"]: "6:14", ["t", "u", "v", "x", "y"]: "6:16", ["t", "u", "é"]: "7:1",
                ["t", "u", "w"]: "11:1", ["list"]: "12:3", ["list", "n"]: "13:1",
            ])
    }

    @Test(
        "Nearest names",
        arguments: [
            ("listen.htpp", "listen.http"), ("log.levle", "log.level"), ("lgo.level", "log.level"),
            ("auth.regstration", "auth.registration"),
            ("data-dir", "data_dir"), ("zzzz", nil), ("", nil), (String(repeating: "x", count: 1000), nil),
        ])
    func nearest(typed: String, expected: String?) { #expect(nearestName(to: typed, among: Configuration.keys.map(\.path)) == expected) }

    @Test("Whatever an environment file holds, it is read to its end, and every fault has a line of it", arguments: 0..<8)
    func environmentFuzz(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        let pieces = [
            "A", "=", "\"", "'", "\\", "\n", "\r\n", "#", " ", "export ", "\0", "é", "GATEHOUSE_LOG_LEVEL=", "\u{FEFF}", "$", "x",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in pieces.randomElement(using: &generator)! }.joined()
            let file = EnvironmentFile(text, file: ".env")
            let lines = text.unicodeScalars.count { $0 == "\n" || $0 == "\r" } + 1
            #expect(file.entries.allSatisfy { 1...lines ~= $0.line && !$0.name.isEmpty && !$0.value.utf8.contains(0) })
            #expect(file.entries.count + file.faults.count <= lines)
        }
    }

    @Test("What is written with quotes is read back", arguments: 0..<4)
    func environmentRoundTrip(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        let alphabet = Array("ab \n\t\r\"\\$#=é'".unicodeScalars)
        for _ in 0..<500 {
            var value = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<20, using: &generator) { value.append(alphabet.randomElement(using: &generator)!) }
            let quoted = value.map { scalar -> String in
                switch scalar {
                case "\n": "\\n"
                case "\r": "\\r"
                case "\t": "\\t"
                case "\"", "\\", "$": "\\\(scalar)"
                default: String(scalar)
                }
            }.joined()
            #expect(EnvironmentFile("A=\"\(quoted)\"", file: "f").entries.map { Array($0.value.unicodeScalars) } == [Array(value)])
        }
    }

    @Test("Whatever a TOML file holds, loading ends with a configuration or with faults", arguments: 0..<8)
    func tomlFuzz(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        let keys = Configuration.keys.map { "\n\($0.path) = " }
        let pieces = [
            "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\\", "\n", "#", " ", "0", "-1", "1e9", "true",
            "\"15m\"", "\"64KiB\"", "[\":80\"]", "2026-01-01", "listen", "http", "limits.policies.api", "\\u0041", "é", "\r\n", "[auth]\n",
        ]
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<25, using: &generator) {
                text += Bool.random(using: &generator) ? pieces.randomElement(using: &generator)! : keys.randomElement(using: &generator)!
                if Bool.random(using: &generator) { text += pieces.randomElement(using: &generator)! }
            }
            let lines = text.count { $0.isNewline } + 1
            let file = ConfigurationFile(text, file: "f")
            for place in file.faults.map(\.place) + file.entries.map(\.place) {
                guard case .file("f", let line, _) = place else {
                    Issue.record("a place outside the file: \(place)")
                    continue
                }
                #expect(1...lines ~= line, "\(text.debugDescription)")
            }
        }
    }
}
