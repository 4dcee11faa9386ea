//! Numbers in words, up to twenty. A larger one is not read, and its parts are known so that none
//! is taken for the whole.

/// The numbers of one language.
#[derive(Debug)]
pub(crate) struct Numbers {
    language: &'static str,
    /// From zero to twenty, with a comma between; other forms of the same number behind a `/`. An
    /// empty one has no word but that in `articles`.
    names: &'static str,
    /// What is one only when nothing else counts: in many languages it is the article too.
    pub(crate) articles: &'static [&'static str],
    /// May stand beside it then.
    pub(crate) person: &'static [&'static str],
    /// Words of larger numbers and of fractions.
    pub(crate) more: &'static [&'static str],
    /// Stand before "one" without a number being meant: "no one", "this one".
    pub(crate) no: &'static [&'static str],
}

/// The numbers of a language; those of English for one that is not here.
pub(crate) fn for_language(language: &str) -> &'static Numbers {
    let numbers = ALL.iter().find(|numbers| numbers.language == language);
    numbers.unwrap_or(&ALL[0])
}

impl Numbers {
    /// Every word that is surely a number, with the number.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, u8)> {
        let numbered = (0..).zip(self.names.split(", "));
        numbered.flat_map(|(number, names)| {
            let names = names.split('/').filter(|name| !name.is_empty());
            names.map(move |name| (name, number))
        })
    }
}

static ALL: [Numbers; 16] = [
    Numbers {
        language: "en",
        names: "zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, \
            fourteen, fifteen, sixteen, seventeen, eighteen, nineteen, twenty",
        articles: &["a", "an"],
        person: &["person"],
        more: &[
            "thirty",
            "forty",
            "fifty",
            "sixty",
            "seventy",
            "eighty",
            "ninety",
            "hundred",
            "hundreds",
            "thousand",
            "thousands",
            "million",
            "millions",
            "billion",
            "dozen",
            "dozens",
            "half",
            "quarter",
            "couple",
            "few",
            "grand",
        ],
        no: &[
            "no", "any", "this", "that", "which", "some", "every", "the", "not", "each", "another",
            "other",
        ],
    },
    Numbers {
        language: "es",
        names: "cero, uno, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, once, doce, trece, \
            catorce, quince, dieciséis, diecisiete, dieciocho, diecinueve, veinte",
        articles: &["una", "un"],
        person: &["persona"],
        more: &[
            "treinta",
            "cuarenta",
            "cincuenta",
            "sesenta",
            "setenta",
            "ochenta",
            "noventa",
            "cien",
            "ciento",
            "mil",
            "millón",
            "millones",
            "docena",
            "medio",
            "media",
            "par",
            "cuarto",
        ],
        no: &["ni", "cada", "ningún", "no"],
    },
    Numbers {
        language: "pt",
        names: "zero, , dois/duas, três, quatro, cinco, seis, sete, oito, nove, dez, onze, doze, treze, \
            catorze/quatorze, quinze, dezesseis/dezasseis, dezessete/dezassete, dezoito, dezenove/dezanove, \
            vinte",
        articles: &["um", "uma"],
        person: &["pessoa"],
        more: &[
            "trinta",
            "quarenta",
            "cinquenta",
            "sessenta",
            "setenta",
            "oitenta",
            "noventa",
            "cem",
            "cento",
            "mil",
            "milhão",
            "milhões",
            "dúzia",
            "meio",
            "meia",
            "par",
            "quarto",
        ],
        no: &["nem", "cada", "nenhum", "não"],
    },
    Numbers {
        language: "fr",
        names: "zéro, , deux, trois, quatre, cinq, six, sept, huit, neuf, dix, onze, douze, treize, quatorze, \
            quinze, seize, dix-sept, dix-huit, dix-neuf, vingt",
        articles: &["un", "une"],
        person: &["personne"],
        more: &[
            "trente",
            "quarante",
            "cinquante",
            "soixante",
            "septante",
            "huitante",
            "nonante",
            "vingts",
            "cent",
            "cents",
            "mille",
            "million",
            "millions",
            "douzaine",
            "demi",
            "demie",
            "quart",
        ],
        no: &["pas", "chaque", "aucun"],
    },
    Numbers {
        language: "de",
        names: "null, eins, zwei/zwo, drei, vier, fünf, sechs, sieben, acht, neun, zehn, elf, zwölf, dreizehn, \
            vierzehn, fünfzehn, sechzehn, siebzehn, achtzehn, neunzehn, zwanzig",
        articles: &["ein", "eine", "einen", "einer", "einem", "eines"],
        person: &["Person"],
        more: &[
            "dreißig",
            "vierzig",
            "fünfzig",
            "sechzig",
            "siebzig",
            "achtzig",
            "neunzig",
            "hundert",
            "tausend",
            "Million",
            "Millionen",
            "Dutzend",
            "halb",
            "halbe",
            "halbes",
            "halben",
            "viertel",
            "paar",
        ],
        no: &["kein", "keine", "nicht", "noch"],
    },
    Numbers {
        language: "it",
        names: "zero, uno, due, tre, quattro, cinque, sei, sette, otto, nove, dieci, undici, dodici, tredici, \
            quattordici, quindici, sedici, diciassette, diciotto, diciannove, venti",
        articles: &["una", "un"],
        person: &["persona"],
        more: &[
            "trenta",
            "quaranta",
            "cinquanta",
            "sessanta",
            "settanta",
            "ottanta",
            "novanta",
            "cento",
            "mille",
            "mila",
            "milione",
            "milioni",
            "dozzina",
            "mezzo",
            "mezza",
            "paio",
            "quarto",
        ],
        no: &["nessun", "ogni", "non"],
    },
    Numbers {
        language: "nl",
        names: "nul, één, twee, drie, vier, vijf, zes, zeven, acht, negen, tien, elf, twaalf, dertien, \
            veertien, vijftien, zestien, zeventien, achttien, negentien, twintig",
        articles: &["een"],
        person: &["persoon"],
        more: &[
            "dertig",
            "veertig",
            "vijftig",
            "zestig",
            "zeventig",
            "tachtig",
            "negentig",
            "honderd",
            "duizend",
            "miljoen",
            "dozijn",
            "half",
            "halve",
            "anderhalf",
            "kwart",
            "paar",
        ],
        no: &["geen", "niet", "nog"],
    },
    Numbers {
        language: "tr",
        names: "sıfır, , iki, üç, dört, beş, altı, yedi, sekiz, dokuz, on, on bir, on iki, on üç, on dört, on \
            beş, on altı, on yedi, on sekiz, on dokuz, yirmi",
        articles: &["bir"],
        person: &["kişi", "tane"],
        more: &[
            "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan", "yüz", "bin", "milyon",
            "düzine", "yarım", "buçuk", "çeyrek",
        ],
        no: &["her", "hiç", "hiçbir"],
    },
    Numbers {
        language: "pl",
        names: "zero, jeden/jedna/jedną/jedno, dwa/dwie/dwóch, trzy, cztery, pięć, sześć, siedem, osiem, \
            dziewięć, dziesięć, jedenaście, dwanaście, trzynaście, czternaście, piętnaście, szesnaście, \
            siedemnaście, osiemnaście, dziewiętnaście, dwadzieścia",
        articles: &[],
        person: &[],
        more: &[
            "trzydzieści",
            "czterdzieści",
            "pięćdziesiąt",
            "sześćdziesiąt",
            "siedemdziesiąt",
            "osiemdziesiąt",
            "dziewięćdziesiąt",
            "sto",
            "dwieście",
            "trzysta",
            "tysiąc",
            "tysiące",
            "tysięcy",
            "milion",
            "tuzin",
            "pół",
            "półtora",
        ],
        no: &["ani", "żaden"],
    },
    Numbers {
        language: "ru",
        names: "ноль, один/одна/одно/одну, два/две/двое, три/трое, четыре, пять, шесть, семь, восемь, девять, \
            десять, одиннадцать, двенадцать, тринадцать, четырнадцать, пятнадцать, шестнадцать, семнадцать, \
            восемнадцать, девятнадцать, двадцать",
        articles: &[],
        person: &[],
        more: &[
            "тридцать",
            "сорок",
            "пятьдесят",
            "шестьдесят",
            "семьдесят",
            "восемьдесят",
            "девяносто",
            "сто",
            "двести",
            "триста",
            "тысяча",
            "тысячу",
            "тысячи",
            "тысяч",
            "миллион",
            "дюжина",
            "половина",
            "полтора",
            "пол",
        ],
        no: &["ни", "не"],
    },
    Numbers {
        language: "ar",
        names: "صفر, واحد/واحدة, اثنان/اثنين/اثنتان, ثلاثة/ثلاث, أربعة/أربع, خمسة/خمس, ستة/ست, سبعة/سبع, \
            ثمانية/ثمان/ثماني, تسعة/تسع, عشرة/عشر, أحد عشر, اثنا عشر/اثني عشر",
        articles: &[],
        person: &[],
        more: &[
            "عشرون",
            "عشرين",
            "ثلاثون",
            "ثلاثين",
            "أربعون",
            "أربعين",
            "خمسون",
            "خمسين",
            "مئة",
            "مائة",
            "ألف",
            "آلاف",
            "مليون",
            "نصف",
            "ربع",
        ],
        no: &["لا", "كل"],
    },
    Numbers {
        language: "hi",
        names: "शून्य, , दो, तीन, चार, पांच/पाँच, छह/छः/छे, सात, आठ, नौ, दस, ग्यारह, बारह, तेरह, चौदह, पंद्रह, \
            सोलह, सत्रह, अठारह, उन्नीस, बीस",
        articles: &["एक"],
        person: &["व्यक्ति"],
        more: &[
            "तीस",
            "चालीस",
            "पचास",
            "सौ",
            "हजार",
            "हज़ार",
            "लाख",
            "करोड़",
            "दर्जन",
            "आधा",
            "डेढ़",
            "ढाई",
            "साढ़े",
        ],
        no: &["हर", "कोई"],
    },
    Numbers {
        language: "id",
        names: "nol, satu, dua, tiga, empat, lima, enam, tujuh, delapan, sembilan, sepuluh, sebelas, dua belas, \
            tiga belas, empat belas, lima belas, enam belas, tujuh belas, delapan belas, sembilan belas, \
            dua puluh",
        articles: &[],
        person: &[],
        more: &[
            "puluh", "ratus", "seratus", "ribu", "seribu", "juta", "lusin", "setengah",
        ],
        no: &["tidak", "bukan", "salah"],
    },
    Numbers {
        language: "ja",
        names: "〇, 一, 二, 三, 四, 五, 六, 七, 八, 九, 十, 十一, 十二, 十三, 十四, 十五, 十六, 十七, 十八, 十九, 二十",
        articles: &[],
        person: &[],
        more: &["百", "千", "万", "億", "半", "零"],
        no: &[],
    },
    Numbers {
        language: "zh",
        names: "零/〇, 一, 二/两/兩, 三, 四, 五, 六, 七, 八, 九, 十, 十一, 十二, 十三, 十四, 十五, 十六, 十七, 十八, 十九, 二十",
        articles: &[],
        person: &[],
        more: &["百", "千", "万", "萬", "亿", "億", "半", "几", "幾"],
        no: &[],
    },
    Numbers {
        language: "th",
        names: "ศูนย์, หนึ่ง, สอง, สาม, สี่, ห้า, หก, เจ็ด, แปด, เก้า, สิบ, สิบเอ็ด, สิบสอง",
        articles: &[],
        person: &[],
        more: &["ยี่สิบ", "ร้อย", "พัน", "หมื่น", "ล้าน", "ครึ่ง"],
        no: &[],
    },
];
