//! Words around a time of day: which half of the day it is in, and the minutes that are said in
//! words.

/// The words of one language that stand beside times.
#[derive(Debug)]
pub(crate) struct Clock {
    language: &'static str,
    /// From midnight to noon.
    pub(crate) morning: &'static [&'static str],
    /// From noon to the evening.
    pub(crate) afternoon: &'static [&'static str],
    /// From the end of the afternoon to midnight.
    pub(crate) evening: &'static [&'static str],
    /// Before the hour, half an hour after it: "half past five".
    pub(crate) half_past: &'static [&'static str],
    /// Behind the hour, half an hour after it: "5 y media".
    pub(crate) and_half: &'static [&'static str],
    /// Before the hour, half an hour before it: "halb 6".
    pub(crate) half_to: &'static [&'static str],
}

const NONE: Clock = Clock {
    language: "",
    morning: &[],
    afternoon: &[],
    evening: &[],
    half_past: &[],
    and_half: &[],
    half_to: &[],
};

/// The words of a language; those of English for one that is not here.
pub(crate) fn for_language(language: &str) -> &'static Clock {
    let clock = ALL.iter().find(|clock| clock.language == language);
    clock.unwrap_or(&ALL[0])
}

static ALL: [Clock; 16] = [
    Clock {
        language: "en",
        morning: &["in the morning", "morning"],
        afternoon: &["in the afternoon", "afternoon"],
        evening: &["in the evening", "at night", "evening", "night", "tonight"],
        half_past: &["half past"],
        ..NONE
    },
    Clock {
        language: "es",
        morning: &[
            "de la mañana",
            "por la mañana",
            "en la mañana",
            "a la mañana",
            "la mañana",
            "de la madrugada",
        ],
        afternoon: &[
            "de la tarde",
            "por la tarde",
            "en la tarde",
            "la tarde",
            "del mediodía",
        ],
        evening: &["de la noche", "por la noche", "en la noche", "la noche"],
        and_half: &["y media"],
        ..NONE
    },
    Clock {
        language: "pt",
        morning: &["da manhã", "de manhã", "pela manhã", "da madrugada"],
        afternoon: &["da tarde", "de tarde", "à tarde"],
        evening: &["da noite", "de noite", "à noite"],
        and_half: &["e meia"],
        ..NONE
    },
    Clock {
        language: "fr",
        morning: &["du matin", "le matin", "matin"],
        afternoon: &["de l’après-midi", "l’après-midi", "après-midi"],
        evening: &["du soir", "le soir", "soir"],
        and_half: &["et demie", "et demi"],
        ..NONE
    },
    Clock {
        language: "de",
        morning: &[
            "am Morgen",
            "morgens",
            "am Vormittag",
            "vormittags",
            "Vormittag",
            "in der Früh",
            "früh",
        ],
        afternoon: &["am Nachmittag", "nachmittags", "Nachmittag", "mittags"],
        evening: &["am Abend", "abends", "Abend", "nachts"],
        half_to: &["halb"],
        ..NONE
    },
    Clock {
        language: "it",
        morning: &["di mattina", "del mattino", "mattina", "mattino"],
        afternoon: &["del pomeriggio", "di pomeriggio", "pomeriggio"],
        evening: &["di sera", "della sera", "sera", "di notte"],
        and_half: &["e mezza", "e mezzo"],
        ..NONE
    },
    Clock {
        language: "nl",
        morning: &[
            "’s ochtends",
            "ochtends",
            "s ochtends",
            "in de ochtend",
            "in de morgen",
            "ochtend",
            "s morgens",
        ],
        afternoon: &["s middags", "in de middag", "namiddag"],
        evening: &["s avonds", "in de avond", "avond", "s nachts"],
        half_to: &["half"],
        ..NONE
    },
    Clock {
        language: "tr",
        morning: &["sabah", "sabahleyin"],
        afternoon: &["öğleden sonra"],
        evening: &["akşam", "akşamleyin", "gece"],
        and_half: &["buçuk"],
        ..NONE
    },
    Clock {
        language: "pl",
        morning: &["rano", "przed południem"],
        afternoon: &["po południu"],
        evening: &["wieczorem", "w nocy"],
        ..NONE
    },
    Clock {
        language: "ru",
        morning: &["утра", "утром"],
        afternoon: &["дня", "днём"],
        evening: &["вечера", "вечером", "ночи"],
        ..NONE
    },
    Clock {
        language: "ar",
        morning: &["صباحا", "في الصباح", "الصبح"],
        afternoon: &["بعد الظهر", "ظهرا", "عصرا"],
        evening: &["مساء", "في المساء", "ليلا"],
        ..NONE
    },
    Clock {
        language: "hi",
        morning: &["सुबह"],
        afternoon: &["दोपहर"],
        evening: &["शाम", "रात"],
        ..NONE
    },
    Clock {
        language: "id",
        morning: &["pagi"],
        afternoon: &["siang"],
        evening: &["sore", "malam"],
        ..NONE
    },
    Clock {
        language: "ja",
        morning: &["午前", "朝"],
        afternoon: &["午後"],
        evening: &["夕方", "夜", "今夜", "今晩"],
        and_half: &["半"],
        ..NONE
    },
    Clock {
        language: "zh",
        morning: &["上午", "早上", "凌晨", "早晨"],
        afternoon: &["下午", "中午"],
        evening: &["晚上", "傍晚", "今晚", "夜里"],
        and_half: &["半"],
        ..NONE
    },
    Clock {
        language: "th",
        morning: &["ตอนเช้า", "เช้า"],
        afternoon: &["ตอนบ่าย", "บ่าย"],
        evening: &["ตอนเย็น", "เย็น", "ค่ำ"],
        ..NONE
    },
];
